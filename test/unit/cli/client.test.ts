import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ask, askAnyVersion, follow } from '../../../src/cli/client.js';
import { runPaths } from '../../../src/daemon/index.js';

describe('a command that asks a router of another version', () => {
  let runDir = '';
  let router: Server;
  beforeEach(() => {
    runDir = mkdtempSync(join(tmpdir(), 'weft-client-'));
  });
  afterEach(() => {
    router.close();
    rmSync(runDir, { recursive: true });
  });

  /** A router that answers each request so, and says that it speaks that version of the API. */
  async function answering(status: number, answer: object, api?: string): Promise<void> {
    router = createServer((_, response) => {
      if (api !== undefined) response.setHeader('weft-api', api);
      response.writeHead(status).end(JSON.stringify(answer));
    });
    await new Promise<void>((resolve) => router.listen(runPaths(runDir).api, resolve));
  }

  it('says so in one line, whatever was answered', async () => {
    await answering(200, { unheard: 'of' }, '2');
    const mismatch = {
      code: 'version-mismatch',
      message: expect.stringMatching(
        /^the router speaks version 2 of the API, this command version 1: .*`weft upgrade`.*$/,
      ),
    };
    await expect(ask(runDir, 'GET', '/status')).rejects.toMatchObject(mismatch);
    await expect(follow(runDir, '/events')).rejects.toMatchObject(mismatch);
  });

  it('says that an earlier one cannot do it', async () => {
    const message = 'there is no POST /new: GET /openapi.json tells what there is';
    await answering(404, { code: 'no-such-route', message }, '1');
    await expect(ask(runDir, 'POST', '/new')).rejects.toMatchObject({
      code: 'no-such-route',
      message: expect.stringMatching(/^the router is of an earlier weft .*POST \/new.*`weft upgrade`.*$/),
    });
  });

  it('can have its version, end it and exchange it all the same', async () => {
    await answering(200, { pid: 1 }, '2');
    for (const path of ['/version', '/status'])
      expect(await askAnyVersion(runDir, 'GET', path)).toEqual({ pid: 1 });
  });

  it('takes one of before there were versions as it is', async () => {
    await answering(200, { pid: 1 });
    expect(await ask(runDir, 'GET', '/status')).toEqual({ pid: 1 });
  });
});
