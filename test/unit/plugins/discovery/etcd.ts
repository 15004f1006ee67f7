/** A real etcd. Where none is installed what needs it is skipped. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { etcdSource } from '../../../../src/plugins/discovery/sources/index.js';
import { until } from '../../../lab/until.js';
import { untested } from '../../../untested.js';
import type { Implementation } from './compliance.js';
import { ended, freePort } from './providers.js';

export const missing = reasonAgainst();

function reasonAgainst(): string | undefined {
  const { error } = spawnSync('etcd', ['--version']);
  if (error === undefined) return undefined;
  untested('discovery by etcd', error.message);
  return error.message;
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

export class EtcdServer {
  #process: ChildProcess | undefined;
  #port = 0;

  constructor(private readonly directory: string) {}

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** With the data that it had, at the address that it had. */
  async start(): Promise<void> {
    this.#port ||= await freePort();
    const urls = ['--listen-client-urls', this.url, '--advertise-client-urls', this.url];
    const peers = ['--listen-peer-urls', 'http://127.0.0.1:0'];
    this.#process = spawn('etcd', ['--data-dir', join(this.directory, 'etcd'), ...urls, ...peers], {
      stdio: 'ignore',
      env: { ...process.env, ETCD_UNSUPPORTED_ARCH: process.arch },
    });
    await until('etcd answers', () => this.put('/ready', ''));
  }

  async stop(): Promise<void> {
    if (this.#process !== undefined) await ended(this.#process);
  }

  /** Its memory is gone, and it is there again. */
  async wipe(): Promise<void> {
    await this.stop();
    await rm(join(this.directory, 'etcd'), { recursive: true, force: true });
    await this.start();
  }

  async put(key: string, value: string): Promise<string> {
    const { header } = await this.call('kv/put', { key: base64(key), value: base64(value) });
    return header?.revision ?? '0';
  }

  async remove(prefix: string): Promise<void> {
    const end = `${prefix.slice(0, -1)}${String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)}`;
    await this.call('kv/deleterange', { key: base64(prefix), range_end: base64(end) });
  }

  async values(prefix: string): Promise<string[]> {
    const end = `${prefix.slice(0, -1)}0`;
    const { kvs = [] } = await this.call('kv/range', { key: base64(prefix), range_end: base64(end) });
    return kvs.map(({ value = '' }) => Buffer.from(value, 'base64').toString());
  }

  async call(path: string, content: object): Promise<Reply> {
    const answer = await fetch(`${this.url}/v3/${path}`, { method: 'POST', body: JSON.stringify(content) });
    if (!answer.ok) throw new Error(await answer.text());
    return (await answer.json()) as Reply;
  }
}

interface Reply {
  readonly header?: { readonly revision?: string };
  readonly kvs?: readonly { readonly value?: string }[];
  readonly leases?: readonly { readonly ID: string }[];
}

export const ETCD: Implementation = {
  kind: 'etcd',
  missing,
  make: async (directory, context) => {
    const server = new EtcdServer(directory);
    await server.start();
    return {
      source: etcdSource(new URL('/weft/routers', server.url), context),
      name: async (targets) => {
        await server.remove('/weft/routers/other');
        for (const [i, target] of targets.entries()) await server.put(`/weft/routers/other${i}`, target);
      },
      break: () => server.stop(),
      mend: () => server.start(),
      end: () => server.stop(),
    };
  },
};
