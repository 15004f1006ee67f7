/**
 * An API server of Kubernetes, as far as its documentation says what it does: lists in pages, watches with bookmarks that are cut
 * anywhere, versions that are too old, and refusals.
 */
import { execFile } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Access, podAccess } from '../../../../src/kubernetes/index.js';
import { kubernetesSource } from '../../../../src/plugins/discovery/sources/index.js';
import type { Implementation } from './compliance.js';

interface Happening {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: { metadata: { name: string } };
}

const SLICES = '/apis/discovery.k8s.io/v1/namespaces/overlay/endpointslices';

export class ApiServer {
  #server: Server | undefined;
  readonly #changes = new EventEmitter().setMaxListeners(0);
  readonly #objects = new Map<string, object>();
  #happened: Happening[] = [];
  version = 100;
  /** The version of what was told last. */
  told = 0;
  /** Watches from before this version are refused. */
  #oldest = 0;
  broken = false;
  forbids = false;
  /** It says nothing in watches that begin now, and keeps them open. */
  silent = false;
  /** It answers everything with this. */
  garbage: string | undefined;
  readonly asked: { path: string; query: URLSearchParams; token: string | undefined }[] = [];

  private constructor(
    readonly account: string,
    private readonly port: number,
  ) {}

  /** With its service account in this directory. */
  static async start(directory: string): Promise<ApiServer> {
    const file = (name: string) => join(directory, name);
    const [key, certificate] = [file('key.pem'), file('ca.crt')];
    await promisify(execFile)('openssl', [
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '1',
      ],
      ...[
        '-subj',
        '/CN=kube-apiserver',
        '-addext',
        'subjectAltName=IP:127.0.0.1',
        '-keyout',
        key,
        '-out',
        certificate,
      ],
    ]);
    await writeFile(file('token'), 'first-token\n');
    await writeFile(file('namespace'), 'overlay');
    const server = createServer({ key: await readFile(key), cert: await readFile(certificate) });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const api = new ApiServer(directory, typeof address === 'object' ? (address?.port ?? 0) : 0);
    api.#server = server;
    server.on('request', (question, answer) => void api.#answer(question, answer));
    return api;
  }

  /** As a pod gets at it that has this service account. */
  access(account = this.account) {
    const env = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(this.port) };
    return accessOf(env, account);
  }

  stop(): void {
    this.#server?.close();
    this.#server?.closeAllConnections();
  }

  set(name: string, content: object): void {
    const type = this.#objects.has(name) ? 'MODIFIED' : 'ADDED';
    const object = { metadata: { name, resourceVersion: String(this.version + 1) }, ...content };
    this.#objects.set(name, object);
    this.#happen(type, object);
  }

  remove(name: string): void {
    this.#objects.delete(name);
    this.#happen('DELETED', { metadata: { name } });
  }

  setNode(name: string, ...addresses: string[]): void {
    const told = addresses.map((address) => ({ type: 'InternalIP', address }));
    this.set(name, { status: { addresses: [{ type: 'Hostname', address: name }, ...told] } });
  }

  /** Forgets what happened so far; watches that are open hear of it. */
  compact(): void {
    this.version += 1;
    this.#oldest = this.version;
    this.#happened = [];
    this.#changes.emit('changed');
  }

  /** Ends all answers that go on; later ones are errors until it is mended. */
  break(): void {
    this.broken = true;
    this.#server?.closeAllConnections();
  }

  #happen(type: Happening['type'], object: Happening['object']): void {
    this.version += 1;
    this.#happened.push({ version: this.version, type, object });
    this.#changes.emit('changed');
  }

  async #answer(question: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { pathname: path, searchParams: query } = new URL(question.url ?? '', 'https://api');
    this.asked.push({ path, query, token: question.headers.authorization });
    if (this.broken) return fail(answer, 500, 'etcdserver: leader changed');
    if (this.garbage !== undefined) return void answer.end(this.garbage);
    if (this.forbids)
      return fail(
        answer,
        403,
        'nodes is forbidden: User "system:serviceaccount:overlay:weft" cannot list it',
      );
    if (path !== '/api/v1/nodes' && path !== SLICES) return fail(answer, 404, 'not found');
    if (query.get('watch') === null) return this.#list(query, answer);
    await this.#watch(Number(query.get('resourceVersion')), answer);
  }

  /** In pages, as `limit` says. */
  #list(query: URLSearchParams, answer: ServerResponse): void {
    const from = Number(query.get('continue') ?? 0);
    const to = from + Number(query.get('limit'));
    const all = [...this.#objects.values()];
    const metadata = {
      resourceVersion: String(this.version),
      ...(to < all.length && { continue: String(to) }),
    };
    answer.end(JSON.stringify({ metadata, items: from < all.length ? all.slice(from, to) : null }));
  }

  async #watch(from: number, answer: ServerResponse): Promise<void> {
    let told = from;
    answer.flushHeaders();
    const closed = once(answer, 'close');
    if (this.silent) await closed;
    while (!answer.destroyed) {
      if (told < this.#oldest) return void answer.end(line('ERROR', { code: 410, message: 'too old' }));
      const news = this.#happened.filter(({ version }) => version > told);
      for (const { version, type, object } of news) {
        await inPieces(answer, line(type, object));
        told = version;
        this.told = version;
      }
      if (news.length > 0) continue;
      const changed = once(this.#changes, 'changed');
      await inPieces(answer, line('BOOKMARK', { metadata: { resourceVersion: String(told) } }));
      await Promise.race([changed, closed]);
    }
  }
}

/** As a pod gets at its cluster. */
export function accessOf(env: NodeJS.ProcessEnv, account?: string): Access {
  const access = podAccess(env, account);
  if (access === undefined) throw new Error('no cluster');
  return access;
}

const line = (type: string, object: object) => `${JSON.stringify({ type, object })}\n`;

/** Cut at odd bytes, in the middle of characters, too. */
async function inPieces(answer: ServerResponse, text: string): Promise<void> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += 101) {
    answer.write(bytes.subarray(at, at + 101));
    await new Promise(setImmediate);
  }
}

function fail(answer: ServerResponse, code: number, message: string): void {
  answer.writeHead(code, { 'content-type': 'application/json' });
  answer.end(JSON.stringify({ kind: 'Status', status: 'Failure', message, code }));
}

/** The content of a slice. */
export const slice = (addresses: readonly string[], port?: number) => ({
  addressType: 'IPv4',
  endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: false } })),
  ports:
    port === undefined
      ? null
      : [
          { protocol: 'UDP', port: 53 },
          { protocol: 'TCP', port },
        ],
});

export const NODES: Implementation = {
  kind: 'kubernetes, of nodes',
  make: async (directory, context) => {
    const api = await ApiServer.start(directory);
    let named: readonly string[] = [];
    return {
      source: kubernetesSource('kubernetes:', undefined, { access: () => api.access() }, context),
      name: async (targets) => {
        for (const target of named) if (!targets.includes(target)) api.remove(target);
        for (const target of targets) api.setNode(target, target.split(':')[0] ?? '');
        named = targets;
      },
      break: async () => api.break(),
      mend: async () => {
        api.broken = false;
      },
      end: async () => api.stop(),
    };
  },
};

export const SERVICE: Implementation = {
  kind: 'kubernetes, of a service',
  make: async (directory, context) => {
    const api = await ApiServer.start(directory);
    return {
      source: kubernetesSource(
        'kubernetes:weft',
        { service: 'weft' },
        { access: () => api.access() },
        context,
      ),
      name: async (targets) =>
        api.set(
          'weft-x7k2p',
          slice(
            targets.map((target) => target.split(':')[0] ?? ''),
            6783,
          ),
        ),
      break: async () => api.break(),
      mend: async () => {
        api.broken = false;
      },
      end: async () => api.stop(),
    };
  },
};
