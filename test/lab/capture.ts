import { readFileSync } from 'node:fs';
import type { Running } from './command.js';
import type { Node } from './node.js';
import { parse, TRAFFIC } from './traffic.js';
import { until } from './until.js';

/** One UDP datagram seen on a wire. */
export interface Datagram {
  from: string;
  to: string;
  port: number;
  payload: Buffer;
}

/** What passes one interface of one node, into a file that tcpdump and Wireshark can read. */
export class Capture {
  private constructor(
    private readonly process: Running,
    readonly file: string,
  ) {}

  /** Returns once the capture is on. */
  static async start(node: Node, device: string, file: string): Promise<Capture> {
    const process = node.start([TRAFFIC, 'capture', device, file]);
    await process.says(/ready/);
    return new Capture(process, file);
  }

  /** Ends the capture and returns every byte of it; fails if a frame was missed. */
  async stop(): Promise<Buffer> {
    const { missed } = parse<{ missed: number }>(await this.process.stop());
    if (missed > 0) throw new Error(`the capture missed ${missed} frames`);
    return this.bytes();
  }

  /** Waits until the capture holds this many UDP datagrams that the test accepts. */
  async until(count: number, accept: (datagram: Datagram) => boolean = () => true): Promise<Datagram[]> {
    return await until(`${count} datagrams captured`, () => {
      const found = datagrams(this.bytes()).filter(accept);
      return found.length >= count && found;
    });
  }

  /** What is in the file by now. */
  bytes(): Buffer {
    return readFileSync(this.file);
  }
}

const GLOBAL_HEADER = 24;
const RECORD_HEADER = 16;

/** The frames of a capture file. */
export function frames(pcap: Buffer): Buffer[] {
  const found: Buffer[] = [];
  let at = GLOBAL_HEADER;
  while (at + RECORD_HEADER <= pcap.length) {
    const length = pcap.readUInt32LE(at + 8);
    const end = at + RECORD_HEADER + length;
    if (end > pcap.length) break; // the last record is still being written
    found.push(pcap.subarray(at + RECORD_HEADER, end));
    at = end;
  }
  return found;
}

/** The unfragmented IPv4 UDP datagrams of a capture. */
export function datagrams(pcap: Buffer): Datagram[] {
  return frames(pcap).flatMap((frame) => {
    const ip = ipv4(frame);
    if (ip === undefined || ip[9] !== 17) return [];
    const udp = ip.subarray(headerLength(ip));
    return [
      {
        from: [...ip.subarray(12, 16)].join('.'),
        to: [...ip.subarray(16, 20)].join('.'),
        port: udp.readUInt16BE(2),
        payload: udp.subarray(8, udp.readUInt16BE(4)),
      },
    ];
  });
}

/** A TCP segment or UDP datagram in one frame, unfragmented. */
export interface Transport {
  protocol: number;
  toPort: number;
  /** The checksum is right, as whoever reads raw packets computes it. */
  intact: boolean;
}

const TCP = 6;
const UDP = 17;

/** What a capture holds of TCP and UDP, over IPv4 and IPv6. */
export function transports(pcap: Buffer): Transport[] {
  return frames(pcap).flatMap((frame) => {
    const found = frame.length >= 42 ? transportOf(frame) : undefined;
    if (found === undefined || (found.protocol !== TCP && found.protocol !== UDP)) return [];
    const { protocol, addresses, bytes } = found;
    const pseudoHeader = Buffer.concat([
      addresses,
      Buffer.from([0, protocol, bytes.length >> 8, bytes.length]),
    ]);
    return [
      {
        protocol,
        toPort: bytes.readUInt16BE(2),
        intact: onesComplementSum(Buffer.concat([pseudoHeader, bytes])) === 0xffff,
      },
    ];
  });
}

function transportOf(frame: Buffer): { protocol: number; addresses: Buffer; bytes: Buffer } | undefined {
  const etherType = frame.readUInt16BE(12);
  const ip = frame.subarray(14);
  if (etherType === 0x86dd && ip.length >= 48) {
    const bytes = ip.subarray(40, 40 + ip.readUInt16BE(4));
    return { protocol: ip.readUInt8(6), addresses: ip.subarray(8, 40), bytes };
  }
  if (etherType !== 0x0800 || (ip.readUInt16BE(6) & 0x3fff) !== 0) return undefined;
  const bytes = ip.subarray(headerLength(ip), ip.readUInt16BE(2));
  return { protocol: ip.readUInt8(9), addresses: ip.subarray(12, 20), bytes };
}

function onesComplementSum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 1) sum += (bytes[at] ?? 0) << (at % 2 === 0 ? 8 : 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

/** One direction of one TCP connection. */
export interface TcpStream {
  from: string;
  fromPort: number;
  toPort: number;
  payload: Buffer;
}

/** What was sent over TCP, put together by connection and direction in order of first appearance (no loss is assumed). */
export function tcpStreams(pcap: Buffer): TcpStream[] {
  const streams = new Map<string, TcpStream & { next: number | undefined }>();
  for (const frame of frames(pcap)) {
    const ip = ipv4(frame);
    if (ip === undefined || ip[9] !== 6) continue;
    const tcp = ip.subarray(headerLength(ip), ip.readUInt16BE(2));
    const from = [...ip.subarray(12, 16)].join('.');
    const [fromPort, toPort, sequence] = [tcp.readUInt16BE(0), tcp.readUInt16BE(2), tcp.readUInt32BE(4)];
    const payload = tcp.subarray(((tcp[12] ?? 0) >> 4) * 4);
    if (payload.length === 0) continue;
    const key = `${from}:${fromPort}>${toPort}`;
    const stream = streams.get(key) ?? { from, fromPort, toPort, payload: Buffer.alloc(0), next: undefined };
    if (stream.next === undefined || stream.next === sequence) {
      stream.payload = Buffer.concat([stream.payload, payload]);
      stream.next = (sequence + payload.length) >>> 0;
    }
    streams.set(key, stream);
  }
  return [...streams.values()];
}

function ipv4(frame: Buffer): Buffer | undefined {
  return frame.length >= 34 && frame.readUInt16BE(12) === 0x0800 ? frame.subarray(14) : undefined;
}

const headerLength = (ip: Buffer) => ((ip[0] ?? 0) & 0x0f) * 4;
