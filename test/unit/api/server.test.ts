import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type ApiServer,
  type Name,
  type NameControl,
  type Peer,
  type RouterControl,
  serveApi,
} from '../../../src/api/index.js';
import { ask } from '../../../src/cli/client.js';
import { WeftError } from '../../../src/errors.js';

describe('the API', () => {
  let directory: string;
  let server: ApiServer;
  let faults: string[];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'weft-api-'));
    faults = [];
  });

  afterEach(async () => {
    await server.close();
    await rm(directory, { recursive: true });
  });

  /** Serves a router that can do only what a test needs of it. */
  async function serve(router: Partial<RouterControl>): Promise<void> {
    const version = () => ({ version: '1.2.3', node: 'v20', forwarder: null });
    server = await serveApi({
      socketPath: join(directory, 'weft.sock'),
      router: { version, ...router } as RouterControl,
      onFault: (error, request) => faults.push(`${request}: ${error.message}`),
    });
  }

  const target = { target: 'host-a', from: ['connect'], state: 'connecting' as const };

  it('answers with what the router says', async () => {
    await serve({ targets: () => [target] });
    expect(await ask(directory, 'GET', '/targets')).toEqual([target]);
  });

  it('hands requests over as they are', async () => {
    const seen: unknown[] = [];
    await serve({
      connect: async (request) => {
        seen.push(request);
        return [target];
      },
    });
    await ask(directory, 'POST', '/connect', { peers: ['host-a'], replace: true });
    expect(seen).toEqual([{ peers: ['host-a'], replace: true }]);
  });

  it('takes a body with DELETE', async () => {
    await serve({ detach: async () => null });
    expect(await ask(directory, 'DELETE', '/attachments', { target: 'web' })).toBeNull();
  });

  it('refuses a request that does not match its schema, and names the field', async () => {
    await serve({});
    await expect(ask(directory, 'POST', '/connect', { peers: 'host-a' })).rejects.toMatchObject({
      code: 'bad-request',
      message: expect.stringContaining('peers'),
    });
    await expect(ask(directory, 'POST', '/attachments')).rejects.toMatchObject({ code: 'bad-request' });
  });

  it("passes the router's errors on with code and message", async () => {
    await serve({
      attach: async () => {
        throw new WeftError('no-such-namespace', 'there is no such namespace');
      },
    });
    const body = { target: 'nowhere', addresses: ['10.0.0.1/8'] };
    await expect(ask(directory, 'POST', '/attachments', body)).rejects.toMatchObject({
      code: 'no-such-namespace',
      message: 'there is no such namespace',
    });
    expect(faults).toEqual([]);
  });

  it('keeps the text of a fault of ours for the log', async () => {
    await serve({
      targets: () => {
        throw new TypeError('x is undefined');
      },
    });
    await expect(ask(directory, 'GET', '/targets')).rejects.toMatchObject({ code: 'internal' });
    expect(faults).toEqual(['GET /targets: x is undefined']);
  });

  it('names the way to the routes when one does not exist', async () => {
    await serve({});
    await expect(ask(directory, 'GET', '/nothing')).rejects.toMatchObject({
      code: 'no-such-route',
      message: expect.stringContaining('/openapi.json'),
    });
  });

  /** Of an answer that is text. */
  async function lines(path: string): Promise<string[]> {
    const options = { socketPath: join(directory, 'weft.sock'), path };
    const body = await new Promise<string>((resolve, reject) => {
      request(options, (answer) => text(answer).then(resolve, reject))
        .on('error', reject)
        .end();
    });
    return body.trim().split('\n');
  }

  it('tells words for shells as lines of text', async () => {
    const peer = (id: string, nickname: string, self = false) => ({ peer: id, nickname, self }) as Peer;
    const peers = [peer('aa', 'here', true), peer('bb', 'twin'), peer('cc', 'twin'), peer('dd', 'host-d')];
    const targets = Array.from({ length: 3_000 }, (_, i) => ({ ...target, target: `t${i}` }));
    const names = ['one', 'two\nlines', 'tab\t'].map((name) => ({ name })) as Name[];
    await serve({ peers: () => peers, targets: () => targets, names: { list: () => names } as NameControl });
    expect(await lines('/words/peers')).toEqual(['bb', 'cc', 'host-d']);
    expect(await lines('/words/peers?begin=ho')).toEqual(['host-d']);
    expect(await lines('/words/names')).toEqual(['one']);
    expect(await lines('/words/targets')).toHaveLength(1_000);
    await expect(ask(directory, 'GET', '/words/secrets')).rejects.toMatchObject({ code: 'bad-request' });
  });

  it('describes every route in an OpenAPI document', async () => {
    await serve({});
    const document = await ask<{ openapi: string; paths: Record<string, object> }>(
      directory,
      'GET',
      '/openapi.json',
    );
    expect(document.openapi).toMatch(/^3\./);
    expect(Object.keys(document.paths).sort()).toEqual([
      '/attachments',
      '/check',
      '/cni',
      '/cni/installation',
      '/connect',
      '/connections',
      '/datapath',
      '/datapath/exchange',
      '/dns',
      '/docker',
      '/events',
      '/exposures',
      '/forget',
      '/ipam',
      '/ipam/prime',
      '/kubernetes',
      '/names',
      '/names/lookup',
      '/netavark',
      '/networks',
      '/paths',
      '/peers',
      '/peers/remove',
      '/peers/revoke',
      '/ping',
      '/policies',
      '/policies/denials',
      '/policies/explanation',
      '/ready',
      '/report',
      '/reset',
      '/sources',
      '/status',
      '/stop',
      '/targets',
      '/token',
      '/token/rotate',
      '/trace',
      '/version',
      '/words/{kind}',
    ]);
    expect(Object.keys(document.paths['/attachments'] ?? {}).sort()).toEqual(['delete', 'get', 'post']);
  });

  it('is open to its user only, and takes the place of a socket that a killed router left', async () => {
    await writeFile(join(directory, 'weft.sock'), '');
    await serve({});
    const { mode } = await stat(join(directory, 'weft.sock'));
    expect(mode & 0o777).toBe(0o600);
  });
});
