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
import type { Upstreams } from './upstreams.js';

/** What one server gets to answer in, in milliseconds, and all together: clients themselves give up after 5 s. */
const TRY_TIMEOUT = 1_500;
const PATIENCE = 4_500;
const MIN_TRIES = 3;
/** Different questions under way at a time, and who may wait for the answer to one. */
const MAX_QUESTIONS = 1_024;
const MAX_WAITING = 256;
const PORT = 53;
/** After these another server may know better. */
const UNHELPFUL: readonly number[] = [RCODE.SERVFAIL, RCODE.REFUSED, RCODE.NOTIMP];

interface UnderWay {
  readonly answer: Promise<Buffer | undefined>;
  waiting: number;
}

export interface ForwarderCounters {
  /** Questions handed to other servers. */
  forwarded: number;
  /** To which no server gave an answer. */
  unanswered: number;
  /** Refused because too many were under way. */
  overloaded: number;
}

/**
 * Has the host's servers answer what we cannot. The one that answered last is asked first.
 *
 * A question that is under way already is not asked again: whoever repeats it waits for the same answer. So a server that (perhaps over others)
 * sends our own questions back to us makes no loop: it waits for us until we ask the next one.
 */
export class NameForwarder {
  readonly counters: ForwarderCounters = { forwarded: 0, unanswered: 0, overloaded: 0 };
  readonly #upstreams: Upstreams;
  readonly #port: number;
  readonly #underWay = new Map<string, UnderWay>();
  #preferred = '';

  constructor(upstreams: Upstreams, port = PORT) {
    this.#upstreams = upstreams;
    this.#port = port;
  }

  async answer(query: Query, transport: Transport): Promise<Buffer> {
    if (!query.recursionDesired) return failure(query, RCODE.REFUSED);
    const underWay = this.#join(query, transport);
    if (underWay === undefined) {
      this.counters.overloaded += 1;
      return failure(query, RCODE.SERVFAIL);
    }
    const response = await underWay.answer;
    if (response === undefined) return failure(query, RCODE.SERVFAIL);
    return adaptAnswer(response, query, sizeLimit(query, transport));
  }

  #join(query: Query, transport: Transport): UnderWay | undefined {
    const key = keyOf(query, transport);
    const known = this.#underWay.get(key);
    if (known !== undefined) {
      known.waiting += 1;
      return known.waiting > MAX_WAITING ? undefined : known;
    }
    if (this.#underWay.size >= MAX_QUESTIONS) return undefined;
    this.counters.forwarded += 1;
    const answer = this.#ask(query, transport).finally(() => this.#underWay.delete(key));
    const underWay = { answer, waiting: 1 };
    this.#underWay.set(key, underWay);
    return underWay;
  }

  /** Tries the servers in turn, those that were silent again; of those that cannot help, the last answer counts. */
  async #ask(query: Query, transport: Transport): Promise<Buffer | undefined> {
    let unhelpful: Buffer | undefined;
    let servers = this.#inOrder(await this.#upstreams.list());
    const deadline = performance.now() + PATIENCE;
    for (let tries = Math.max(MIN_TRIES, servers.length); tries > 0; tries -= 1) {
      const [address, ...others] = servers;
      const left = deadline - performance.now();
      if (address === undefined || left <= 0) break;
      const server = { address, port: this.#port };
      const response = await exchange(query, transport, server, Math.min(left, TRY_TIMEOUT));
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
