import {
  type Answer,
  CLASS,
  encodeAnswer,
  type Query,
  RCODE,
  resourceRecord,
  sizeLimit,
  TYPE,
} from './message.js';
import type { NameNode, NameTable } from './table.js';
import { wireKey } from './table.js';

export interface AnswersOptions {
  readonly table: NameTable;
  /** As `parseDomain` gives it. */
  readonly domain: string;
  /** Of all answers, in seconds. */
  readonly ttl: number;
}

/** Maximum time for which others may believe that there is no such name, in seconds: a container that comes must not be missed for long. */
const NEGATIVE_TTL = 1;

const ROOT = '\0';
const TRANSFERS: readonly number[] = [TYPE.AXFR, TYPE.IXFR];

/** Resource records of one name and type, and whose turn it is to be the first. */
interface Ring {
  readonly records: readonly Buffer[];
  turn: number;
}

/**
 * Answers what we know: names of the domain, names without a dot as if they were of the domain, and the reverse of addresses that have
 * a name. Pure, but for the order of the addresses, which goes round.
 */
export class Answers {
  readonly #options: AnswersOptions;
  /** The domain in wire format, one character a byte. */
  readonly #zone: string;
  readonly #startOfAuthority: Buffer;
  readonly #rings = new WeakMap<readonly Uint8Array[], Ring>();

  constructor(options: AnswersOptions) {
    this.#options = options;
    this.#zone = `${wireKey(options.domain)}${ROOT}`;
    this.#startOfAuthority = startOfAuthority(options);
  }

  /** The answer for who asks on a network; undefined: it is for others to answer. */
  answer(query: Query, network: number, transport: 'udp' | 'tcp'): Buffer | undefined {
    const answer = this.#decide(query, network);
    return answer && encodeAnswer(query, answer, sizeLimit(query, transport));
  }

  #decide(query: Query, network: number): Answer | undefined {
    if (query.edns !== undefined && query.edns.version !== 0) return { rcode: RCODE.BADVERS };
    const { message, labels, nameEnd } = query;
    const name = message.toString('latin1', 12, nameEnd).toLowerCase();
    const zoneAt = nameEnd - this.#zone.length;
    if (name.endsWith(this.#zone) && labels.includes(zoneAt)) {
      return this.#ofZone(query, name.slice(0, -this.#zone.length), zoneAt, network);
    }
    if (query.class !== CLASS.IN) return { rcode: RCODE.REFUSED };
    if (labels.length === 1) return this.#unqualified(query, name.slice(0, -1), network);
    return this.#reverse(query, network);
  }

  #ofZone(query: Query, key: string, zoneAt: number, network: number): Answer {
    const { type } = query;
    if ((query.class !== CLASS.IN && query.class !== CLASS.ANY) || TRANSFERS.includes(type)) {
      return { rcode: RCODE.REFUSED };
    }
    const node = this.#options.table.network(network).find(key);
    const answers = node === undefined ? [] : this.#records(node, type);
    if (answers.length > 0) return { rcode: RCODE.NOERROR, authoritative: true, answers };
    const authority = resourceRecord(TYPE.SOA, negativeTtl(this.#options), this.#startOfAuthority, zoneAt);
    if (key === '' && (type === TYPE.SOA || type === TYPE.ANY)) {
      return { rcode: RCODE.NOERROR, authoritative: true, answers: [authority] };
    }
    const exists = node !== undefined || key === '';
    return { rcode: exists ? RCODE.NOERROR : RCODE.NXDOMAIN, authoritative: true, authority };
  }

  #unqualified({ type }: Query, key: string, network: number): Answer | undefined {
    const node = this.#options.table.network(network).find(key);
    if (node === undefined || node.ipv4.length + node.ipv6.length === 0) return undefined;
    return { rcode: RCODE.NOERROR, authoritative: true, answers: this.#records(node, type) };
  }

  #reverse({ message, labels, type }: Query, network: number): Answer | undefined {
    const address = addressOf(
      labels.map((at) => message.toString('latin1', at + 1, at + 1 + (message[at] ?? 0))),
    );
    const names = address === undefined ? [] : this.#options.table.network(network).namesOf(address);
    if (names.length === 0) return undefined;
    const { domain, ttl } = this.#options;
    const wanted = type === TYPE.PTR || type === TYPE.ANY ? names : [];
    const answers = wanted.map((name) => resourceRecord(TYPE.PTR, ttl, wireName(`${name}.${domain}`)));
    return { rcode: RCODE.NOERROR, authoritative: true, answers };
  }

  #records({ ipv4, ipv6 }: NameNode, type: number): readonly Buffer[] {
    if (type === TYPE.A) return this.#next(TYPE.A, ipv4);
    if (type === TYPE.AAAA) return this.#next(TYPE.AAAA, ipv6);
    if (type === TYPE.ANY) return [...this.#next(TYPE.A, ipv4), ...this.#next(TYPE.AAAA, ipv6)];
    return [];
  }

  /** The records of these addresses, each time with another one at the front. */
  #next(type: number, addresses: readonly Uint8Array[]): readonly Buffer[] {
    let ring = this.#rings.get(addresses);
    if (ring === undefined) {
      const { ttl } = this.#options;
      ring = { records: addresses.map((address) => resourceRecord(type, ttl, address)), turn: 0 };
      this.#rings.set(addresses, ring);
    }
    const { records, turn } = ring;
    if (records.length < 2) return records;
    ring.turn = (turn + 1) % records.length;
    return [...records.slice(turn), ...records.slice(0, turn)];
  }
}

/** RFC 1035, 3.3.13. There are no transfers, so that nobody looks at serial and times but for the last (RFC 2308): the negative TTL. */
function startOfAuthority(options: AnswersOptions): Buffer {
  const { domain } = options;
  const times = Buffer.alloc(20);
  for (const [index, value] of [1, 3600, 600, 86_400, negativeTtl(options)].entries())
    times.writeUInt32BE(value, 4 * index);
  return Buffer.concat([wireName(domain), wireName(`hostmaster.${domain}`), times]);
}

function negativeTtl({ ttl }: AnswersOptions): number {
  return Math.min(ttl, NEGATIVE_TTL);
}

function wireName(name: string): Buffer {
  return Buffer.from(`${wireKey(name)}${ROOT}`, 'latin1');
}

/** The address that a name of `in-addr.arpa` or `ip6.arpa` means, one character a byte. */
function addressOf(labels: readonly string[]): string | undefined {
  const zone = labels.slice(-2).join('.').toLowerCase();
  const parts = labels.slice(0, -2).reverse();
  if (zone === 'in-addr.arpa' && parts.length === 4 && parts.every(isDecimalByte)) {
    return String.fromCharCode(...parts.map(Number));
  }
  if (zone === 'ip6.arpa' && parts.length === 32 && parts.every((part) => /^[0-9a-f]$/i.test(part))) {
    return Buffer.from(parts.join(''), 'hex').toString('latin1');
  }
  return undefined;
}

function isDecimalByte(text: string): boolean {
  return /^(0|[1-9]\d{0,2})$/.test(text) && Number(text) < 256;
}
