/**
 * Messages of multicast DNS (RFC 6762), as far as routers need them to find each other. The codec of src/dns answers one question to one
 * asker; here are several questions with the answers that are known, and names that end anywhere.
 */

export const TYPE = { A: 1, PTR: 12, TXT: 16, AAAA: 28, SRV: 33, ANY: 255 } as const;

const HEADER = 12;
const CLASS_IN = 1;
/** In front of the class: other records of this name and type are no more. */
const FLUSH = 0x8000;
/** It is an answer, and we are the authority. */
const ANSWER = 0x8400;
const MAX_NAME = 255;
/** A message has so many questions and records at most; what is more is not read. */
const MAX_ENTRIES = 256;

export interface Question {
  readonly name: string;
  readonly type: number;
}

export interface Entry {
  /** In lower case, with dots between the labels and none at the end. */
  readonly name: string;
  readonly type: number;
  /** In seconds. */
  readonly ttl: number;
  readonly data: Buffer;
  /** The first name in the data: of PTR and SRV. */
  readonly target?: string;
}

export interface Message {
  readonly isAnswer: boolean;
  readonly questions: readonly Question[];
  readonly records: readonly Entry[];
}

/** Undefined for what is none, or damaged. */
export function readMessage(bytes: Buffer): Message | undefined {
  try {
    return new Reader(bytes).message();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Reads to and fro in a message; throws a RangeError where it is damaged. */
class Reader {
  #at = HEADER;
  #left = MAX_ENTRIES;

  constructor(private readonly bytes: Buffer) {}

  message(): Message {
    const flags = this.bytes.readUInt16BE(2);
    if ((flags & 0x780f) !== 0) throw new RangeError('neither a standard query nor an answer to one');
    const count = (section: number) => this.bytes.readUInt16BE(4 + 2 * section);
    const questions = this.#several(count(0), () => this.#question());
    const records = this.#several(count(1) + count(2) + count(3), () => this.#record());
    return { isAnswer: (flags & 0x8000) !== 0, questions, records: records.filter(isInternet) };
  }

  #several<T>(count: number, read: () => T): T[] {
    const some = Math.min(count, this.#left);
    this.#left -= some;
    return Array.from({ length: some }, read);
  }

  #question(): Question {
    const name = this.#name();
    const type = this.bytes.readUInt16BE(this.#at);
    this.#at += 4;
    return { name, type };
  }

  #record(): Entry & { readonly class: number } {
    const name = this.#name();
    const [type, kind] = [this.bytes.readUInt16BE(this.#at), this.bytes.readUInt16BE(this.#at + 2)];
    const ttl = this.bytes.readUInt32BE(this.#at + 4);
    const start = this.#at + 10;
    const end = start + this.bytes.readUInt16BE(start - 2);
    if (end > this.bytes.length) throw new RangeError('a record goes on behind the end');
    const named = { [TYPE.PTR]: start, [TYPE.SRV]: start + 6 }[type];
    this.#at = named ?? end;
    const target = named === undefined ? {} : { target: this.#name() };
    this.#at = end;
    return { name, type, class: kind & ~FLUSH, ttl, data: this.bytes.subarray(start, end), ...target };
  }

  /** What leads in a circle becomes too long for a name. */
  #name(): string {
    const labels: string[] = [];
    let [at, size, behind] = [this.#at, 0, 0];
    for (;;) {
      const length = this.bytes.readUInt8(at);
      if (length === 0) break;
      if (length >= 0xc0) {
        const to = this.bytes.readUInt16BE(at) & 0x3fff;
        if (to >= at) throw new RangeError('a pointer leads forwards');
        behind ||= at + 2;
        at = to;
        size += 1;
      } else {
        size += length + 1;
        if (length > 63 || at + 1 + length > this.bytes.length) throw new RangeError('a label is none');
        labels.push(this.bytes.toString('latin1', at + 1, at + 1 + length));
        at += length + 1;
      }
      if (size >= MAX_NAME) throw new RangeError('a name is too long');
    }
    this.#at = behind || at + 1;
    return labels.join('.').toLowerCase();
  }
}

function isInternet({ class: kind }: { readonly class: number }): boolean {
  return kind === CLASS_IN;
}

/** A record as it is sent. */
export interface Told {
  readonly name: string;
  readonly type: number;
  readonly ttl: number;
  readonly data: Buffer;
  /** Others may have records of the same name and type. */
  readonly shared?: boolean;
}

export function encodeQuery({ name, type }: Question, known: readonly Told[]): Buffer {
  const question = Buffer.concat([encodeName(name), twoBytes(type), twoBytes(CLASS_IN)]);
  return Buffer.concat([header(0, 1, known.length), question, ...known.map(encodeRecord)]);
}

export function encodeAnswer(records: readonly Told[]): Buffer {
  return Buffer.concat([header(ANSWER, 0, records.length), ...records.map(encodeRecord)]);
}

/** The id is 0, as all is sent to all. */
function header(flags: number, questions: number, answers: number): Buffer {
  return Buffer.concat([0, flags, questions, answers, 0, 0].map(twoBytes));
}

function encodeRecord({ name, type, ttl, data, shared = false }: Told): Buffer {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(type, 0);
  fixed.writeUInt16BE(shared ? CLASS_IN : CLASS_IN | FLUSH, 2);
  fixed.writeUInt32BE(ttl, 4);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([encodeName(name), fixed, data]);
}

export function encodeName(name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.from(label, 'latin1'));
  return Buffer.concat([...labels.flatMap((label) => [Buffer.of(label.length), label]), Buffer.of(0)]);
}

export function twoBytes(value: number): Buffer {
  return Buffer.of(value >> 8, value & 0xff);
}
