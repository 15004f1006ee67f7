import type { EventDetails, EventKind, EventLine, LostLine, PathWord, WeftEvent } from './event.js';

type Sentences = { readonly [Kind in EventKind]: (details: EventDetails<Kind>) => string };

const PATHS: Readonly<Record<PathWord, string>> = {
  direct: 'directly',
  plain: 'directly, not encrypted',
  kernel: 'by the kernel, not encrypted',
  relay: 'through a relay',
  tcp: 'over TCP',
  none: 'not at all',
};

const SENTENCES: Sentences = {
  'router-up': ({ nickname, software, adopted }) =>
    `the router ${nickname} runs, weft ${software}${adopted ? '; it took over the forwarder of the one before' : ''}`,
  'router-down': ({ forget }) => (forget ? 'the router leaves for good' : 'the router stops'),
  'peer-joined': (peer) => `${called(peer)} joined`,
  'peer-left': ({ how, ...peer }) =>
    `${called(peer)} ${how === 'left' ? 'left' : 'is lost: nobody reaches it'}`,
  'peer-expelled': ({ how, by, ...peer }) =>
    `${called(peer)} was ${how === 'expelled' ? 'expelled' : 'removed as dead'} by ${by}`,
  'path-changed': ({ path, via, reason, changes, ...peer }) =>
    `${called(peer)} is reached ${via === null ? PATHS[path] : `through ${via}`}${flapped(changes)}${because(reason)}`,
  'mtu-changed': ({ mtu, changes, ...peer }) =>
    `packets of ${mtu} bytes pass to ${called(peer)}${flapped(changes)}`,
  'container-attached': (container) => `${named(container)} is attached: ${interfaceText(container)}`,
  'container-changed': (container) => `${named(container)} changed: ${interfaceText(container)}`,
  'container-detached': (container) => `${named(container)} is detached from ${container.network}`,
  'name-added': ({ name, addresses, ...peer }) => `${name} of ${called(peer)} is ${addresses.join(' ')}`,
  'name-changed': ({ name, addresses, ...peer }) =>
    `${name} of ${called(peer)} is ${addresses.join(' ')} now`,
  'name-removed': ({ name, ...peer }) => `${name} of ${called(peer)} is gone`,
  'addresses-received': ({ peer, nickname, ...ranges }) =>
    `${rangesText(ranges)} came to this router ${peer === null ? 'when the range was split' : `from ${called({ peer, nickname })}`}`,
  'addresses-given': ({ ranges, count, ...peer }) =>
    `${rangesText({ ranges, count })} went to ${called(peer)}`,
  'address-moved': ({ address, mac, network, ...peer }) =>
    `${address} on ${network} moved to ${mac} at ${called(peer)}`,
  'loop-found': ({ network, peer, muted }) =>
    `${network} has a loop ${peer === null ? 'in the bridges of this host' : `beside the tunnel to ${peer}`}, which is contained ${muted ? 'here' : 'there'}`,
  'loop-over': ({ network }) => `the loop in ${network} is gone`,
  'forwarder-ready': ({ pid, adopted }) => `the forwarder ${adopted ? 'was adopted' : 'runs'}, pid ${pid}`,
  'forwarder-lost': () => 'the forwarder is lost, and started again',
  'plugin-failed': ({ plugin, message }) => `${plugin}: ${message}`,
  omitted: ({ of, count }) => `${count} more events ${of} are left out`,
};

/** What happened, as people say it. It may hold what others chose. */
export function sentence(line: EventLine): string {
  if (line.kind === 'lost') return lostText(line);
  const say = SENTENCES[line.kind] as ((details: WeftEvent['details']) => string) | undefined;
  return say === undefined ? JSON.stringify((line as WeftEvent).details) : say(line.details);
}

function lostText({ reason, from, to }: LostLine): string {
  if (reason === 'restarted') return 'the router was started again since: what happened before is not known';
  const which = from === to ? `event ${from} is` : `events ${from} to ${to} are`;
  return reason === 'slow'
    ? `${which} lost: they came faster than they were read`
    : `${which} kept no longer`;
}

function called({ peer, nickname }: { readonly peer: string; readonly nickname: string }): string {
  return nickname === '' ? peer : nickname;
}

function rangesText({
  ranges,
  count,
}: {
  readonly ranges: readonly string[];
  readonly count: number;
}): string {
  return `${count} ${count === 1 ? 'address' : 'addresses'} (${ranges.join(' ')})`;
}

function named({ name, container }: EventDetails<'container-attached'>): string {
  return name ?? container;
}

function interfaceText({
  interface: inside,
  network,
  mac,
  addresses,
}: EventDetails<'container-attached'>): string {
  return `${inside} on ${network}, ${mac} ${addresses.join(' ')}`.trim();
}

function flapped(changes: number): string {
  return changes === 1 ? '' : ` (after ${changes} changes)`;
}

function because(reason: string | null): string {
  return reason === null ? '' : `: ${reason}`;
}
