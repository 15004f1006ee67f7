import type { DnsReport, DnsStatus, DnsWaiting, Name } from '../../api/index.js';
import { labelsText } from '../../labels.js';
import { pairs, table } from '../terminal/index.js';

export async function dnsText({ status, names }: DnsReport): Promise<string> {
  return `${serverText(status)}\n\n${await namesTable(names)}`;
}

function serverText({ serving, domain, ttl, listening, waiting, upstreams, counters }: DnsStatus): string {
  return pairs([
    ['domain', `${domain}, TTL ${ttl}`],
    ['listening', serving ? listening.join(', ') || 'not yet' : 'no (--no-dns)'],
    ...waiting.map((place) => ['waiting', waitingText(place)] as const),
    ['upstreams', upstreams.join(' ') || '-'],
    ...Object.entries(counters).map(([name, count]) => [name, String(count)] as const),
  ]);
}

/** An address at which names are to be served, and why they are not. */
export function waitingText({ address, reason }: DnsWaiting): string {
  return `for ${address}: ${reason}`;
}

/** Networks are told only where there are others than the one that every router has, labels only where there are some. */
export function namesTable(names: readonly Name[]): Promise<string> {
  const several = names.some(({ network }) => network !== 0);
  const labelled = names.some(({ labels }) => Object.keys(labels).length > 0);
  const rows = names.map(({ name, addresses, container, peer, nickname, network, answered, labels }) => [
    name,
    addresses.join(' '),
    ...(several ? [String(network)] : []),
    container,
    `${nickname} (${peer})`,
    ...(labelled ? [labelsText(labels)] : []),
    answered ? '' : 'host is down',
  ]);
  const headings = [
    'name',
    'addresses',
    ...(several ? ['network'] : []),
    'container',
    'host',
    ...(labelled ? ['labels'] : []),
    '',
  ];
  return table(headings, rows, 'no names');
}
