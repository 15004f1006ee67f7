import { exchange, type Transport } from './exchange.js';
import {
  adaptAnswer,
  canonicalQuestion,
  encodeAnswer,
  type Query,
  RCODE,
  rcodeOf,
  sizeLimit,
} from './message.js';
import { Shares } from './shares.js';
import type { Upstreams } from './upstreams.js';

/** What one server gets to answer in, in milliseconds, and all together: clients themselves give up after 5 s. */
const TRY_TIMEOUT = 1_500;
const PATIENCE = 4_500;
const MIN_TRIES = 3;
/** Maximum number of clients that wait at a time. */
const MAX_WAITING = 2_048;
const PORT = 53;
/** After these another server may know better. */
const UNHELPFUL: readonly number[] = [RCODE.SERVFAIL, RCODE.REFUSED, RCODE.NOTIMP];

/** A question that the servers are asked. */
interface UnderWay {
  readonly key: string;
  readonly unwanted: AbortController;
  readonly clients: Set<Client>;
}

/** Who waits for an answer. */
interface Client {
  readonly source: string;
  readonly question: UnderWay;
  /** `undefined`: there is none. */
  readonly finish: (response: Buffer | undefined) => void;
}

export interface ForwarderCounters {
  /** Questions handed to other servers. */
  forwarded: number;
  /** To which no server gave an answer. */
  unanswered: number;
  /** Given up because too many waited, and most of them of one source. */
  overloaded: number;
}

/**
 * Has the host's servers answer what we cannot. The one that answered last is asked first.
 *
 * A question that is under way already is not asked again: whoever repeats it waits for the same answer. So a server that (perhaps over others)
 * sends our own questions back to us makes no loop: it waits for us until we ask the next one.
 *
 * Sources share the places of those who wait: whoever asks more than the servers answer takes none from others.
 */
export class NameForwarder {
  readonly counters: ForwarderCounters = { forwarded: 0, unanswered: 0, overloaded: 0 };
  readonly #upstreams: Upstreams;
  readonly #port: number;
  readonly #underWay = new Map<string, UnderWay>();
  readonly #waiting = new Shares<Client>(MAX_WAITING);
  #preferred = '';

  constructor(upstreams: Upstreams, port = PORT) {
    this.#upstreams = upstreams;
    this.#port = port;
  }

  /** `source`: who asks, as far as that is known. */
  async answer(query: Query, transport: Transport, source: string): Promise<Buffer> {
    if (!query.recursionDesired) return failure(query, RCODE.REFUSED);
    const question = this.#question(query, transport);
    const response = await new Promise<Buffer | undefined>((finish) =>
      this.#wait({ source, question, finish }),
    );
    if (response === undefined) return failure(query, RCODE.SERVFAIL);
    return adaptAnswer(response, query, sizeLimit(query, transport));
  }

  #question(query: Query, transport: Transport): UnderWay {
    const key = keyOf(query, transport);
    const known = this.#underWay.get(key);
    if (known !== undefined) return known;
    const question = { key, unwanted: new AbortController(), clients: new Set<Client>() };
    this.#underWay.set(key, question);
    this.counters.forwarded += 1;
    void this.#ask(query, transport, question.unwanted.signal).then((response) => {
      this.#forget(question);
      for (const client of question.clients) this.#leave(client, response);
    });
    return question;
  }

  #wait(client: Client): void {
    client.question.clients.add(client);
    const evicted = this.#waiting.take(client);
    if (evicted === undefined) return;
    this.counters.overloaded += 1;
    this.#leave(evicted, undefined);
    if (evicted.question.clients.size > 0) return;
    this.#forget(evicted.question);
    evicted.question.unwanted.abort();
  }

  #leave(client: Client, response: Buffer | undefined): void {
    client.question.clients.delete(client);
    this.#waiting.leave(client);
    client.finish(response);
  }

  #forget(question: UnderWay): void {
    if (this.#underWay.get(question.key) === question) this.#underWay.delete(question.key);
  }

  /** Tries the servers in turn, those that were silent again; of those that cannot help, the last answer counts. */
  async #ask(query: Query, transport: Transport, unwanted: AbortSignal): Promise<Buffer | undefined> {
    let unhelpful: Buffer | undefined;
    let servers = this.#inOrder(await this.#upstreams.list());
    const deadline = performance.now() + PATIENCE;
    for (let tries = Math.max(MIN_TRIES, servers.length); tries > 0; tries -= 1) {
      const [address, ...others] = servers;
      const left = deadline - performance.now();
      if (address === undefined || left <= 0 || unwanted.aborted) break;
      const server = { address, port: this.#port };
      const response = await exchange(query, transport, server, Math.min(left, TRY_TIMEOUT), unwanted);
      if (response !== undefined && !UNHELPFUL.includes(rcodeOf(response))) {
        this.#preferred = address;
        return response;
      }
      unhelpful = response ?? unhelpful;
      servers = response === undefined ? [...others, address] : others;
    }
    if (unhelpful === undefined) this.counters.unanswered += 1;
    return unhelpful;
  }

  #inOrder(servers: readonly string[]): readonly string[] {
    if (!servers.includes(this.#preferred)) return servers;
    return [this.#preferred, ...servers.filter((server) => server !== this.#preferred)];
  }
}

function failure(query: Query, rcode: number): Buffer {
  return encodeAnswer(query, { rcode }, sizeLimit(query, 'tcp'));
}

/** What makes answers different: the question, the transport, the flags AD and CD, EDNS. */
function keyOf(query: Query, transport: Transport): string {
  const { message, edns } = query;
  const flags = message.readUInt8(3) & 0x30;
  const extended = edns === undefined ? '-' : String(edns.dnssecOk);
  return `${transport} ${flags} ${extended} ${canonicalQuestion(query).toString('latin1')}`;
}
