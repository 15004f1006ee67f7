/**
 * An API server of Kubernetes, as far as its documentation says what it does: lists in pages, watches with bookmarks that are cut
 * anywhere, versions that are too old, patches of Nodes, and refusals.
 */
import { execFile } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { type Access, podAccess } from '../../src/kubernetes/index.js';

/** As far as this server looks into it. */
export interface ApiObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

interface Happening {
  readonly version: number;
  readonly path: string;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: ApiObject;
}

/** What is asked for, and by whom. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly token: string | undefined;
  readonly content: unknown;
}

export const NODES = '/api/v1/nodes';
export const PODS = '/api/v1/pods';
export const NAMESPACES = '/api/v1/namespaces';
export const POLICIES = '/apis/networking.k8s.io/v1/networkpolicies';
export const SLICES = '/apis/discovery.k8s.io/v1/namespaces/overlay/endpointslices';

/** As a pod gets at its cluster. */
export function accessOf(env: NodeJS.ProcessEnv, account?: string): Access {
  const access = podAccess(env, account);
  if (access === undefined) throw new Error('no cluster');
  return access;
}

export class ApiServer {
  readonly #servers: readonly Server[];
  readonly #changes = new EventEmitter().setMaxListeners(0);
  readonly #objects = new Map<string, Map<string, ApiObject>>(
    [NODES, PODS, NAMESPACES, POLICIES, SLICES].map((path) => [path, new Map()]),
  );
  #happened: Happening[] = [];
  version = 100;
  /** The version of what was told last. */
  told = 0;
  /** Watches from before this version are refused: in their first line, or with a status of HTTP. */
  #oldest = 0;
  refusesByStatus = false;
  broken = false;
  forbids = false;
  /** It says nothing in watches that begin now, and keeps them open. */
  silent = false;
  /** It answers everything with this. */
  garbage: string | undefined;
  readonly asked: Asked[] = [];

  private constructor(
    readonly account: string,
    private readonly port: number,
    servers: readonly Server[],
  ) {
    this.#servers = servers;
  }

  /** With its service account in this directory, where it listens at `socket`, too. It is known at these addresses. */
  static async start(directory: string, ...addresses: readonly string[]): Promise<ApiServer> {
    const { key, cert } = await certificate(directory, ['127.0.0.1', ...addresses]);
    await writeFile(join(directory, 'token'), 'first-token\n');
    await writeFile(join(directory, 'namespace'), 'overlay');
    const servers = [createServer({ key, cert }), createServer({ key, cert })] as const;
    const [byAddress, bySocket] = servers;
    byAddress.listen(0, '127.0.0.1');
    bySocket.listen(join(directory, 'socket'));
    await Promise.all(servers.map((server) => once(server, 'listening')));
    const address = byAddress.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const api = new ApiServer(directory, port, servers);
    for (const server of servers)
      server.on('request', (question, answer) => void api.#answer(question, answer));
    return api;
  }

  /** As a pod gets at it that has this service account. */
  access(account = this.account): Access {
    const env = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(this.port) };
    return accessOf(env, account);
  }

  get socket(): string {
    return join(this.account, 'socket');
  }

  stop(): void {
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
  }

  /** Ends all answers that go on; later ones are errors until it is mended. */
  break(): void {
    this.broken = true;
    for (const server of this.#servers) server.closeAllConnections();
  }

  put(path: string, object: ApiObject): void {
    const all = this.#all(path);
    const type = all.has(keyOf(object)) ? 'MODIFIED' : 'ADDED';
    const resourceVersion = String(this.version + 1);
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion } };
    all.set(keyOf(object), stored);
    this.#happen({ path, type, object: stored });
  }

  /** By `NAMESPACE/NAME`. */
  remove(path: string, key: string): void {
    const all = this.#all(path);
    const object = all.get(key);
    if (object === undefined) return;
    all.delete(key);
    this.#happen({ path, type: 'DELETED', object });
  }

  find(path: string, key: string): ApiObject | undefined {
    return this.#all(path).get(key);
  }

  /** Forgets what happened so far; watches that are open hear of it. */
  compact(): void {
    this.version += 1;
    this.#oldest = this.version;
    this.#happened = [];
    this.#changes.emit('changed');
  }

  /** How often something was asked. */
  count(path: string, isMeant: (asked: Asked) => boolean = () => true): number {
    return this.asked.filter((each) => each.path === path && isMeant(each)).length;
  }

  #all(path: string): Map<string, ApiObject> {
    const all = this.#objects.get(path);
    if (all === undefined) throw new Error(`nothing is kept at ${path}`);
    return all;
  }

  #happen(what: Omit<Happening, 'version'>): void {
    this.version += 1;
    this.#happened.push({ ...what, version: this.version });
    this.#changes.emit('changed');
  }

  async #answer(question: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { pathname: path, searchParams: query } = new URL(question.url ?? '', 'https://api');
    const { method = 'GET', headers } = question;
    const content = method === 'PATCH' ? await json(question) : undefined;
    this.asked.push({ method, path, query, token: headers.authorization, content });
    if (this.broken) return fail(answer, 500, 'etcdserver: leader changed');
    if (this.garbage !== undefined) return void answer.end(this.garbage);
    if (this.forbids)
      return fail(
        answer,
        403,
        'nodes is forbidden: User "system:serviceaccount:overlay:weft" cannot list it',
      );
    if (method === 'PATCH') return this.#patch(path, content as ApiObject, answer);
    if (!this.#objects.has(path)) return this.#get(path, answer);
    if (query.get('watch') === null) return this.#list(path, query, answer);
    const from = Number(query.get('resourceVersion'));
    if (from < this.#oldest && this.refusesByStatus) return fail(answer, 410, 'too old resource version');
    await this.#watch(path, from, answer);
  }

  #get(path: string, answer: ServerResponse): void {
    const [, namespace, name] = /^\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)$/.exec(path) ?? [];
    const found = this.#all(PODS).get(`${namespace}/${name}`);
    if (found === undefined) fail(answer, 404, 'not found');
    else answer.end(JSON.stringify(found));
  }

  /** As a strategic merge does: of conditions the one of the same type is exchanged. */
  #patch(path: string, { metadata, status }: ApiObject, answer: ServerResponse): void {
    const [, name = ''] = /^\/api\/v1\/nodes\/([^/]+)(\/status)?$/.exec(path) ?? [];
    const node = this.#all(NODES).get(name);
    if (node === undefined) {
      fail(answer, 404, 'not found');
      return;
    }
    const conditions = conditionsOf({ metadata: node.metadata, status });
    const kept = conditionsOf(node).filter(({ type }) => !conditions.some((each) => each.type === type));
    const annotations = { ...node.metadata.annotations, ...metadata?.annotations };
    this.put(NODES, {
      ...node,
      metadata: { ...node.metadata, annotations },
      status: { ...(node.status as object), conditions: [...kept, ...conditions] },
    });
    answer.end(JSON.stringify(this.#all(NODES).get(name)));
  }

  /** In pages, as `limit` says. */
  #list(path: string, query: URLSearchParams, answer: ServerResponse): void {
    const from = Number(query.get('continue') ?? 0);
    const to = from + Number(query.get('limit'));
    const all = [...this.#all(path).values()];
    const metadata = {
      resourceVersion: String(this.version),
      ...(to < all.length && { continue: String(to) }),
    };
    answer.end(JSON.stringify({ metadata, items: from < all.length ? all.slice(from, to) : null }));
  }

  async #watch(path: string, from: number, answer: ServerResponse): Promise<void> {
    let told = from;
    answer.flushHeaders();
    const closed = once(answer, 'close');
    if (this.silent) await closed;
    while (!answer.destroyed) {
      if (told < this.#oldest) return void answer.end(line('ERROR', { code: 410, message: 'too old' }));
      const news = this.#happened.filter((each) => each.version > told && each.path === path);
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

/** Of an object without a namespace, its name. */
export function keyOf({ metadata: { name, namespace } }: ApiObject): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** What a Node says of itself. */
export function conditionsOf({ status }: ApiObject): { type: string; status: string; reason?: string }[] {
  return (status as { conditions?: { type: string; status: string }[] } | undefined)?.conditions ?? [];
}

async function certificate(directory: string, addresses: readonly string[]) {
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'ca.crt')];
  const names = addresses.map((address) => `IP:${address}`).join();
  await promisify(execFile)('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'],
    ...['-subj', '/CN=kube-apiserver', '-addext', `subjectAltName=${names}`, '-keyout', key, '-out', cert],
  ]);
  return { key: await readFile(key), cert: await readFile(cert) };
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
