import { type Answer, decode, encode, type Packet, type Question } from 'dns-packet';
import { Answers, addressBytes, type NameRecord, NameTable } from '../../../src/dns/index.js';
import { readQuery } from '../../../src/dns/message.js';
import type { PeerId } from '../../../src/identity/index.js';

export const HOST = 'aaaaaaaaaaaaaaaa' as PeerId;
export const OTHER = 'bbbbbbbbbbbbbbbb' as PeerId;

export function record(name: string, ...addresses: string[]): NameRecord {
  return { network: 0, name, container: `of-${name}`, addresses: addresses.map(addressBytes) };
}

export function query(question: Question, more: Partial<Packet> = {}): Buffer {
  return encode({ type: 'query', id: 4711, flags: 0x100, questions: [question], ...more });
}

/** What is asked with EDNS, and says how much fits. */
export function withEdns(udpPayloadSize: number): Partial<Packet> {
  return {
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize,
        flags: 0,
        options: [],
        extendedRcode: 0,
        ednsVersion: 0,
      } as never,
    ],
  };
}

/** The answers to a zone of these records, as another DNS library reads them. */
export class Zone {
  readonly table = new NameTable();
  readonly answers: Answers;

  constructor(...records: NameRecord[]) {
    this.answers = new Answers({ table: this.table, domain: 'weft.local', ttl: 1 });
    for (const each of records) this.table.set(HOST, each);
  }

  /** The bytes; undefined for what is to be forwarded. */
  ask(message: Buffer, { transport = 'udp' as 'udp' | 'tcp', network = 0 } = {}): Buffer | undefined {
    const parsed = readQuery(message);
    if (parsed === undefined || typeof parsed === 'number') throw new Error(`refused with ${parsed}`);
    return this.answers.answer(parsed, network, transport);
  }

  dig(name: string, type: Question['type'] = 'A', network = 0) {
    const response = this.ask(query({ name, type }), { network });
    if (response === undefined) return 'forwarded';
    const {
      rcode,
      answers = [],
      authorities = [],
    } = decode(response) as ReturnType<typeof decode> & {
      rcode: string;
    };
    return { rcode, data: answers.map(dataOf), authority: authorities.map(({ type }) => type) };
  }
}

function dataOf(answer: Answer): unknown {
  return 'data' in answer ? answer.data : undefined;
}
