import Type, { type Static } from 'typebox';
import { Server } from '../../../http/index.js';
import { validator } from '../../../validate.js';
import type { Snapshot, Source, SourceContext } from '../source.js';
import { targetLines } from '../targets.js';
import { nameOfUrl } from './url.js';

/** What a router wrote of itself is gone so long after it was last heard of, in seconds. */
const LEASE = 60;
/** How often a router is heard of, in milliseconds. */
const KEEP = (LEASE * 1_000) / 3;
/** What a router wrote is taken back within so long when it stops, in milliseconds. */
const FAREWELL = 1_000;
/** More keys than there are targets of one source are not asked for. */
const MOST_KEYS = 2_000;

const Authenticated = Type.Object({ token: Type.String() });
const Lease = Type.Object({ ID: Type.String() });
const Kept = Type.Object({ result: Type.Optional(Type.Object({ TTL: Type.Optional(Type.String()) })) });
const Revision = Type.String({ pattern: '^[0-9]{1,19}$' });
const Range = Type.Object({
  header: Type.Object({ revision: Revision }),
  kvs: Type.Optional(Type.Array(Type.Object({ key: Type.String(), value: Type.Optional(Type.String()) }))),
});
const Watched = Type.Object({
  result: Type.Object({
    header: Type.Object({ revision: Type.Optional(Revision) }),
    canceled: Type.Optional(Type.Boolean()),
    events: Type.Optional(Type.Array(Type.Unknown())),
  }),
});

/**
 * The keys below a prefix of an etcd, one for each router, over its JSON gateway. The router's own is bound to a lease. Whatever
 * happens to the store (compacted, wiped, its leases expired), the next list tells what there is, and that our own key is missing.
 */
export function etcdSource(url: URL, context: SourceContext): Source {
  const name = `etcd:${nameOfUrl(url)}`;
  return {
    name,
    async *follow(signal) {
      const etcd = new Etcd(url, signal);
      await etcd.authenticate();
      const ours = new Registration(etcd, `${etcd.prefix}${context.peer}`, () =>
        context.addresses().join('\n'),
      );
      try {
        yield* snapshots(etcd, ours, signal);
      } finally {
        await ours.end();
      }
    },
  };
}

async function* snapshots(etcd: Etcd, ours: Registration, signal: AbortSignal): AsyncGenerator<Snapshot> {
  while (!signal.aborted) {
    let list = await etcd.list();
    if (await ours.renew(list.values)) list = await etcd.list();
    yield { targets: [...list.values.values()].flatMap(targetLines), whole: true };
    while (!(await etcd.changed(list.revision))) if (!(await ours.keep())) break;
  }
}

/** This router's own key. */
class Registration {
  #lease: string | undefined;
  #written = '';

  constructor(
    private readonly etcd: Etcd,
    private readonly key: string,
    private readonly value: () => string,
  ) {}

  /** Writes it anew if it is not what and where it should be; true when it was. */
  async renew(values: ReadonlyMap<string, string>): Promise<boolean> {
    const value = this.value();
    if (this.#lease !== undefined && values.get(this.key) === value && (await this.keep())) return false;
    this.#lease ??= await this.etcd.grant();
    await this.etcd.put(this.key, value, this.#lease);
    this.#written = value;
    return true;
  }

  /** False when it is to be written anew: its lease is over, or this router has other addresses. */
  async keep(): Promise<boolean> {
    if (this.#lease !== undefined && !(await this.etcd.keepAlive(this.#lease))) this.#lease = undefined;
    return this.#lease !== undefined && this.#written === this.value();
  }

  /** The key goes with its lease; where that cannot be said, it goes in time. */
  async end(): Promise<void> {
    if (this.#lease !== undefined) await this.etcd.revoke(this.#lease).catch(() => {});
  }
}

/** The calls that are needed of etcd's JSON gateway, where keys, values and bytes are base64. */
class Etcd {
  readonly prefix: string;
  readonly #http: Server;
  #headers: Record<string, string> = {};

  constructor(
    private readonly url: URL,
    private readonly signal: AbortSignal,
  ) {
    this.prefix = `${decodeURIComponent(url.pathname).replace(/\/$/, '')}/`;
    this.#http = new Server(url.origin, { code: 'source-failed' });
  }

  async authenticate(): Promise<void> {
    const { username, password } = this.url;
    if (username === '') return;
    const content = { name: decodeURIComponent(username), password: decodeURIComponent(password) };
    const { token } = await this.#call('/v3/auth/authenticate', content, Authenticated);
    this.#headers = { authorization: token };
  }

  async list(): Promise<{ revision: string; values: Map<string, string> }> {
    const content = { ...this.#below(), limit: MOST_KEYS };
    const { header, kvs = [] } = await this.#call('/v3/kv/range', content, Range);
    const values = kvs.map(({ key, value = '' }): [string, string] => [plain(key), plain(value)]);
    return { revision: header.revision, values: new Map(values) };
  }

  /** True once something changed after this revision, or may have; false when it is time to be heard of. */
  async changed(revision: string): Promise<boolean> {
    const content = { create_request: { ...this.#below(), start_revision: String(BigInt(revision) + 1n) } };
    const lines = this.#http.lines({ ...this.#question('/v3/watch', content), within: KEEP });
    for await (const line of lines) {
      const { header, canceled = false, events = [] } = parseWatched(line).result;
      // A store that was wiped begins to count anew, and what we wait for may come in days.
      const isOther = header.revision !== undefined && BigInt(header.revision) < BigInt(revision);
      if (isOther || canceled || events.length > 0) return true;
    }
    return false;
  }

  async grant(): Promise<string> {
    return (await this.#call('/v3/lease/grant', { TTL: LEASE }, Lease)).ID;
  }

  async keepAlive(lease: string): Promise<boolean> {
    const { result } = await this.#call('/v3/lease/keepalive', { ID: lease }, Kept);
    return Number(result?.TTL ?? 0) > 0;
  }

  async put(key: string, value: string, lease: string): Promise<void> {
    await this.#http.ask(this.#question('/v3/kv/put', { key: base64(key), value: base64(value), lease }));
  }

  /** Also after the signal came. */
  async revoke(lease: string): Promise<void> {
    const question = this.#question('/v3/lease/revoke', { ID: lease });
    await this.#http.ask({ ...question, within: FAREWELL, signal: new AbortController().signal });
  }

  async #call<S extends Parameters<typeof validator>[2]>(
    path: string,
    content: object,
    schema: S,
  ): Promise<Static<S>> {
    const answer = await this.#http.ask(this.#question(path, content));
    return validator('source-failed', `what ${this.url.origin} answers`, schema)(answer.content);
  }

  #question(path: string, content: object) {
    return { method: 'POST' as const, path, content, headers: this.#headers, signal: this.signal };
  }

  /** All keys that begin with the prefix, whose last byte is a slash. */
  #below() {
    return { key: base64(this.prefix), range_end: base64(`${this.prefix.slice(0, -1)}0`) };
  }
}

const parseWatched = validator('source-failed', 'what etcd tells of changes', Watched);

const base64 = (text: string) => Buffer.from(text).toString('base64');
const plain = (text: string) => Buffer.from(text, 'base64').toString();
