/**
 * DNS messages (RFC 1035, EDNS of RFC 6891), as far as a server needs to understand them. Written here and not left to a library for three reasons:
 * names in answers must be compressed, or 50 addresses fit no datagram; the question goes back byte for byte, as some resolvers hide
 * randomness in its letters' case; and a query must cost microseconds.
 */

export const TYPE = {
  A: 1,
  NS: 2,
  SOA: 6,
  PTR: 12,
  AAAA: 28,
  OPT: 41,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
} as const;
export const CLASS = { IN: 1, ANY: 255 } as const;
export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  BADVERS: 16,
} as const;

const HEADER = 12;
const MAX_NAME = 255;
const OPT_BYTES = 11;
/** What a sender without EDNS takes over UDP. */
const MIN_UDP = 512;
/** The most that we send over UDP: it stays on this host, where fragments are not lost. */
const MAX_UDP = 4096;
const MAX_TCP = 65_535;
/** The most that we like to receive over UDP, as everybody does since 2020. */
const OUR_UDP = 1232;

const FLAG = { QR: 0x8000, AA: 0x0400, TC: 0x0200, RD: 0x0100, RA: 0x0080, CD: 0x0010 } as const;

/** A query that can be answered or forwarded. Offsets count from the start of the message. */
export interface Query {
  readonly message: Buffer;
  /** Where the labels of the name begin (at their length bytes); none for the root. */
  readonly labels: readonly number[];
  /** Behind the root label. */
  readonly nameEnd: number;
  /** Behind type and class. */
  readonly questionEnd: number;
  readonly type: number;
  readonly class: number;
  readonly recursionDesired: boolean;
  readonly edns: Edns | undefined;
}

export interface Edns {
  readonly size: number;
  readonly version: number;
  readonly dnssecOk: boolean;
}

export interface Answer {
  readonly rcode: number;
  /** It is from our own zone. */
  readonly authoritative?: boolean;
  /** Whole resource records. */
  readonly answers?: readonly Buffer[];
  readonly authority?: Buffer;
}

/** Reads a query. Gives the response code with which to refuse it, or undefined when it deserves no answer at all. */
export function readQuery(message: Buffer): Query | number | undefined {
  if (message.length < HEADER) return undefined;
  const flags = message.readUInt16BE(2);
  if ((flags & FLAG.QR) !== 0) return undefined;
  if ((flags & 0x7800) !== 0) return RCODE.NOTIMP;
  if (message.readUInt16BE(4) !== 1 || message.readUInt32BE(6) !== 0) return RCODE.FORMERR;
  const labels: number[] = [];
  const nameEnd = readLabels(message, labels);
  const questionEnd = nameEnd + 4;
  if (nameEnd === 0 || questionEnd > message.length) return RCODE.FORMERR;
  const edns = readEdns(message, questionEnd, message.readUInt16BE(10));
  if (edns === 'malformed') return RCODE.FORMERR;
  return {
    message,
    labels,
    nameEnd,
    questionEnd,
    type: message.readUInt16BE(nameEnd),
    class: message.readUInt16BE(nameEnd + 2),
    recursionDesired: (flags & FLAG.RD) !== 0,
    edns,
  };
}

/** Collects the labels of the question's name; gives the offset behind it, 0 when it is malformed. */
function readLabels(message: Buffer, labels: number[]): number {
  let offset = HEADER;
  for (;;) {
    const length = message[offset];
    if (length === undefined || length > 63) return 0;
    if (length === 0) return offset + 1;
    labels.push(offset);
    offset += length + 1;
    if (offset - HEADER >= MAX_NAME) return 0;
  }
}

/** Looks for the one OPT record among the additional ones. */
function readEdns(message: Buffer, start: number, count: number): Edns | undefined | 'malformed' {
  let edns: Edns | undefined;
  let offset = start;
  for (let i = 0; i < count; i += 1) {
    const fixed = skipName(message, offset);
    if (fixed === 0 || fixed + 10 > message.length) return 'malformed';
    if (message.readUInt16BE(fixed) === TYPE.OPT) {
      if (edns !== undefined || fixed !== offset + 1) return 'malformed';
      edns = {
        size: message.readUInt16BE(fixed + 2),
        version: message.readUInt8(fixed + 5),
        dnssecOk: (message.readUInt8(fixed + 6) & 0x80) !== 0,
      };
    }
    offset = fixed + 10 + message.readUInt16BE(fixed + 8);
    if (offset > message.length) return 'malformed';
  }
  return edns;
}

/** The offset behind a name that may be compressed; 0 when it is malformed. */
function skipName(message: Buffer, start: number): number {
  let offset = start;
  for (;;) {
    const length = message[offset];
    if (length === undefined || offset - start >= MAX_NAME) return 0;
    if (length === 0) return offset + 1;
    if (length >= 0xc0) return offset + 2;
    if (length > 63) return 0;
    offset += length + 1;
  }
}

/** Maximum size of an answer, in bytes. */
export function sizeLimit({ edns }: Query, transport: 'udp' | 'tcp'): number {
  if (transport === 'tcp') return MAX_TCP;
  return edns === undefined ? MIN_UDP : Math.min(Math.max(edns.size, MIN_UDP), MAX_UDP);
}

/** What does not fit `limit` is left out; the TC flag then says so. */
export function encodeAnswer(query: Query, answer: Answer, limit: number): Buffer {
  const { message, questionEnd, edns } = query;
  const { rcode, authoritative = false, answers = [], authority } = answer;
  const fixed = questionEnd + (edns === undefined ? 0 : OPT_BYTES);
  let size = fixed + (authority?.length ?? 0);
  let count = 0;
  for (const record of answers) {
    if (size + record.length > limit) break;
    size += record.length;
    count += 1;
  }
  const truncated = count < answers.length;
  const response = Buffer.allocUnsafe(size);
  let offset = copy(message, questionEnd, response, 0);
  const flags = FLAG.QR | (authoritative ? FLAG.AA : 0) | (truncated ? FLAG.TC : 0) | FLAG.RA | (rcode & 0xf);
  writeFlags(response, message, flags);
  response.writeUInt16BE(count, 6);
  response.writeUInt16BE(authority === undefined ? 0 : 1, 8);
  response.writeUInt16BE(edns === undefined ? 0 : 1, 10);
  for (const record of answers) {
    if (count === 0) break;
    offset = copy(record, record.length, response, offset);
    count -= 1;
  }
  if (authority !== undefined) offset = copy(authority, authority.length, response, offset);
  if (edns !== undefined) writeOpt(response, offset, rcode, edns);
  return response;
}

/** Gives the offset behind. For so few bytes it is five times as fast as `Buffer.copy`, which makes objects. */
function copy(from: Buffer, length: number, to: Buffer, at: number): number {
  for (let i = 0; i < length; i += 1) to[at + i] = from[i] ?? 0;
  return at + length;
}

function writeOpt(response: Buffer, offset: number, rcode: number, { dnssecOk }: Edns): void {
  response.writeUInt8(0, offset);
  response.writeUInt16BE(TYPE.OPT, offset + 1);
  response.writeUInt16BE(OUR_UDP, offset + 3);
  response.writeUInt8(rcode >> 4, offset + 5);
  response.writeUInt8(0, offset + 6);
  response.writeUInt16BE(dnssecOk ? 0x8000 : 0, offset + 7);
  response.writeUInt16BE(0, offset + 9);
}

/** Refuses a message whose question cannot be read. */
export function encodeRefusal(message: Buffer, rcode: number): Buffer {
  const response = Buffer.alloc(HEADER);
  copy(message, 2, response, 0);
  writeFlags(response, message, FLAG.QR | FLAG.RA | rcode);
  return response;
}

/** Opcode and the flags that are the client's own go back. */
function writeFlags(response: Buffer, message: Buffer, flags: number): void {
  response.writeUInt16BE(flags | (message.readUInt16BE(2) & (0x7800 | FLAG.RD | FLAG.CD)), 2);
}

/** A resource record for the name at `owner` (an offset in the message), by default the question's. */
export function resourceRecord(type: number, ttl: number, data: Uint8Array, owner = HEADER): Buffer {
  const record = Buffer.alloc(12 + data.length);
  record.writeUInt16BE(0xc000 | owner, 0);
  record.writeUInt16BE(type, 2);
  record.writeUInt16BE(CLASS.IN, 4);
  record.writeUInt32BE(ttl, 6);
  record.writeUInt16BE(data.length, 10);
  record.set(data, 12);
  return record;
}

/** The question of a query as the same bytes for all spellings: name in lower case, type, class. */
export function canonicalQuestion({ message, nameEnd, questionEnd }: Query): Buffer {
  const question = Buffer.from(message.subarray(HEADER, questionEnd));
  for (let i = 0; i < nameEnd - HEADER; i += 1) {
    const byte = question[i] ?? 0;
    if (byte >= 0x41 && byte <= 0x5a) question[i] = byte | 0x20;
  }
  return question;
}

/** True for a response to this query: same id, same question. */
export function answersQuery(response: Buffer, query: Query): boolean {
  if (response.length < query.questionEnd || response.readUInt16BE(4) !== 1) return false;
  if ((response.readUInt16BE(2) & FLAG.QR) === 0) return false;
  if (response.readUInt16BE(0) !== query.message.readUInt16BE(0)) return false;
  const theirs = canonicalQuestion({ ...query, message: response });
  return theirs.equals(canonicalQuestion(query));
}

/** The response that another server gave to the same question, made one to this query. */
export function adaptAnswer(response: Buffer, query: Query, limit: number): Buffer {
  const { message, questionEnd } = query;
  const whole = response.length <= limit;
  const adapted = Buffer.from(whole ? response : response.subarray(0, questionEnd));
  message.copy(adapted, 0, 0, 2);
  message.copy(adapted, HEADER, HEADER, questionEnd);
  if (whole) return adapted;
  adapted.writeUInt16BE(adapted.readUInt16BE(2) | FLAG.TC, 2);
  adapted.fill(0, 6, HEADER);
  return adapted;
}

export function rcodeOf(response: Buffer): number {
  return response.readUInt8(3) & 0xf;
}
