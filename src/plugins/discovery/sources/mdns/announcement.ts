import { addressBytes, addressText } from '../../../../dns/index.js';
import { isReachable } from '../../../../net/index.js';
import { type Entry, encodeName, type Message, type Question, type Told, TYPE, twoBytes } from './message.js';

/** How long others believe what a router told of itself, in seconds. */
export const LIFETIME = 120;
/** Addresses of one router on one link. */
const MOST_ADDRESSES = 8;
const MARK = 'mark=';
const PEER = /^[0-9a-f]{16}$/;

/** What a router tells of itself on one link. */
export interface Announcement {
  readonly peer: string;
  readonly port: number;
  readonly addresses: readonly string[];
}

/** As it was heard. */
export interface Heard extends Announcement {
  /** In seconds; 0 when the router says that it leaves. */
  readonly lifetime: number;
  readonly mark: string | undefined;
}

/** The text that the mark of an announcement is computed of. docs/protocol.md, "Multicast DNS". */
export function markedText(service: string, { peer, port, addresses }: Announcement): string {
  return [service, peer, port, ...[...addresses].sort()].join(' ');
}

/** What all routers of this service have in common. */
export function serviceName(service: string): string {
  return `_${service}._tcp.local`;
}

/** The question for all routers. */
export function questionFor(service: string): Question {
  return { name: serviceName(service), type: TYPE.PTR };
}

/** That this router is one of them. */
export function pointerTo(peer: string, service: string, ttl: number): Told {
  const name = serviceName(service);
  return { name, type: TYPE.PTR, ttl, data: encodeName(`${peer}.${name}`), shared: true };
}

/** All records of a router; those of one that leaves live for no time. */
export function recordsOf(
  { peer, port, addresses }: Announcement,
  service: string,
  mark: string | undefined,
  ttl: number,
): Told[] {
  const [name, host] = [`${peer}.${serviceName(service)}`, `${peer}.local`];
  const place = Buffer.concat([twoBytes(0), twoBytes(0), twoBytes(port), encodeName(host)]);
  return [
    pointerTo(peer, service, ttl),
    { name, type: TYPE.SRV, ttl, data: place },
    { name, type: TYPE.TXT, ttl, data: textData(mark) },
    ...addresses.slice(0, MOST_ADDRESSES).map((address) => {
      const data = addressBytes(address);
      return { name: host, type: data.length === 4 ? TYPE.A : TYPE.AAAA, ttl, data };
    }),
  ];
}

/** One string; a record without strings is not allowed. */
function textData(mark: string | undefined): Buffer {
  const text = Buffer.from(mark === undefined ? '' : `${MARK}${mark}`);
  return Buffer.concat([Buffer.of(text.length), text]);
}

/** What a message tells of one router: it tells all in one message. Undefined when it does not. */
export function readAnnouncement({ records }: Message, service: string): Heard | undefined {
  const suffix = `.${serviceName(service)}`;
  const place = records.find(({ name, type }) => type === TYPE.SRV && name.endsWith(suffix));
  const text = records.find(({ name, type }) => type === TYPE.TXT && name === place?.name);
  const peer = place?.name.slice(0, -suffix.length) ?? '';
  if (place === undefined || text === undefined || !PEER.test(peer) || place.data.length < 6)
    return undefined;
  const hosts = records.filter(({ name }) => name === place.target);
  const addresses = [...new Set(hosts.flatMap(addressOf))].slice(0, MOST_ADDRESSES);
  const port = place.data.readUInt16BE(4);
  if (addresses.length === 0 || port === 0) return undefined;
  return { peer, port, addresses, lifetime: place.ttl, mark: markIn(text.data) };
}

/** None where no other host can be. */
function addressOf({ type, data }: Entry): string[] {
  const length = { [TYPE.A]: 4, [TYPE.AAAA]: 16 }[type];
  if (length === undefined || data.length !== length) return [];
  const address = addressText(data);
  return isReachable(address) ? [address] : [];
}

/** Of the first string. */
function markIn(data: Buffer): string | undefined {
  const text = data.toString('latin1', 1, 1 + (data[0] ?? 0));
  return text.startsWith(MARK) ? text.slice(MARK.length) : undefined;
}

/** Whether somebody asks for this router and does not know it, or not for long enough. */
export function isAsked({ isAnswer, questions, records }: Message, peer: string, service: string): boolean {
  if (isAnswer) return false;
  const name = serviceName(service);
  const ours = [`${peer}.${name}`, `${peer}.local`];
  if (questions.some((question) => ours.includes(question.name))) return true;
  const isKnown = ({ type, target, ttl }: Entry) =>
    type === TYPE.PTR && target === ours[0] && ttl >= LIFETIME / 2;
  const asksForAll = (question: Question) =>
    question.name === name && (question.type === TYPE.PTR || question.type === TYPE.ANY);
  return questions.some(asksForAll) && !records.some(isKnown);
}
