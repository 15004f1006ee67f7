/** SCTP where the kernel does not speak it: the chunks that begin an association, as raw frames, and whether they arrive. */
import ipaddr from 'ipaddr.js';
import { Capture, type Container, frames, sendFrames, until } from '../lab/index.js';

const PROTOCOL = 132;
const CHUNKS = { INIT: 1, 'INIT ACK': 2 } as const;
/** Between two attempts, in milliseconds. */
const AGAIN = 500;

export interface Association {
  readonly from: Container;
  readonly to: Container;
  /** Of the two, in one family. */
  readonly addresses: readonly [from: string, to: string];
  readonly ports: readonly [from: number, to: number];
}

/** Whether a chunk arrives within so many milliseconds. The ports must not have been used before; `file` is for what is captured. */
export async function sctpArrives(
  chunk: keyof typeof CHUNKS,
  { from, to, addresses, ports }: Association,
  { within, file }: { within: number; file: string },
): Promise<boolean> {
  const [source, destination] = [await from.device(), await to.device()];
  const capture = await Capture.start(to, destination.ifname, file);
  const packet = sctpPacket(chunk, ports);
  const frame = framed(source.address, destination.address, addresses, packet);
  const hasArrived = () => frames(capture.bytes()).some((each) => each.includes(packet));
  const send = () => sendFrames(from, source.ifname, [frame]);
  await send();
  const again = setInterval(() => void send(), AGAIN);
  try {
    await until('the chunk has arrived', hasArrived, { within });
    return true;
  } catch {
    return false;
  } finally {
    clearInterval(again);
    await capture.stop();
  }
}

/** A whole packet (RFC 9260): common header, and one INIT or INIT ACK chunk without parameters. */
export function sctpPacket(chunk: keyof typeof CHUNKS, [from, to]: Association['ports']): Buffer {
  const packet = Buffer.alloc(32);
  packet.writeUInt16BE(from, 0);
  packet.writeUInt16BE(to, 2);
  packet.writeUInt8(CHUNKS[chunk], 12);
  packet.writeUInt16BE(20, 14); // length of the chunk
  packet.writeUInt32BE(from * 65_536 + to + 1, 16); // initiate tag
  packet.writeUInt32BE(65_536, 20); // receiver window
  packet.writeUInt16BE(1, 24); // streams out and in
  packet.writeUInt16BE(1, 26);
  packet.writeUInt32BE(1, 28); // first sequence number
  packet.writeUInt32LE(crc32c(packet), 8);
  return packet;
}

function framed(from: string, to: string, addresses: Association['addresses'], payload: Buffer): Buffer {
  const macs = [to, from].map((mac) => Buffer.from(mac.replaceAll(':', ''), 'hex'));
  const [source = Buffer.alloc(0), destination = Buffer.alloc(0)] = addresses.map((text) =>
    Buffer.from(ipaddr.parse(text).toByteArray()),
  );
  const isIpv6 = source.length === 16;
  const header = isIpv6 ? ipv6Header(payload.length) : ipv4Header(source, destination, payload.length);
  const type = Buffer.from(isIpv6 ? [0x86, 0xdd] : [0x08, 0x00]);
  return Buffer.concat([...macs, type, header, source, destination, payload]);
}

function ipv6Header(length: number): Buffer {
  return Buffer.from([0x60, 0, 0, 0, length >> 8, length & 255, PROTOCOL, 64]);
}

function ipv4Header(source: Buffer, destination: Buffer, payload: number): Buffer {
  const header = Buffer.from([0x45, 0, 0, 20 + payload, 0, 0, 0, 0, 64, PROTOCOL, 0, 0]);
  const whole = Buffer.concat([header, source, destination]);
  let sum = 0;
  for (let at = 0; at < whole.length; at += 2) sum += whole.readUInt16BE(at);
  header.writeUInt16BE(~((sum & 0xffff) + (sum >> 16)) & 0xffff, 10);
  return header;
}

/** As RFC 9260, appendix A, has it. */
export function crc32c(bytes: Buffer): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0x82f63b78 : sum >>> 1;
  }
  return ~sum >>> 0;
}
