import type { PeerId } from '../../../../src/identity/index.js';
import type { Message } from '../../../../src/ipam/ring/messages.js';
import type { Span } from '../../../../src/ipam/ring/range.js';
import type { ParticipantRecord, RingRecord } from '../../../../src/ipam/ring/records.js';
import { type Host, reaches } from './host.js';
import { checkForm } from './invariants.js';
import type { Payload } from './network.js';
import type { Operation, World } from './world.js';

/** As far ahead of the clock as a record is believed: ten years, in units of 1/1024 ms. */
const FAR = 10 * 365 * 24 * 3_600_000 * 1_024;
/** What no number supersedes. */
const HIGHEST = Number.MAX_SAFE_INTEGER;
/** Peers that liars make up, at a time. */
const MADE_UP = 20;

/** What members say that is not true, but that nobody can see from its form. */
export function lies(world: World): readonly Operation[] {
  if (!world.hasLiars) return [];
  const tell = (lie: (world: World, liar: Host) => readonly RingRecord[]) => () => spread(world, lie);
  return [
    { weight: 2, run: tell(claimOfOthers) },
    { weight: 2, run: tell(giftOfOthers) },
    { weight: 0.5, run: tell(endOfOthers) },
    { weight: 0.3, run: tell(madeUpPeers) },
    { weight: 2, run: tell(oldRecords) },
    { weight: 3, run: () => address(world) },
    { weight: 0.5, run: () => checkForm(world.hosts, world.range) },
  ];
}

/** How a liar answers what it is asked; true when it says nothing else to that. */
export function answerFalsely(world: World, liar: Host, from: Host, payload: Payload): boolean {
  const { chance } = world;
  if (payload.kind === 'records' || chance.calm || chance.random() < 0.4) return false;
  if (chance.random() < 0.3) {
    world.count('withhold');
    return true;
  }
  const answer = falseAnswer(world, liar, payload.message);
  if (answer === undefined) return false;
  world.count(`lie: ${answer.type}`);
  world.network.post(liar, from, { kind: 'message', message: answer });
  return true;
}

function falseAnswer(world: World, liar: Host, message: Message): Message | undefined {
  const records = world.chance.random() < 0.5 ? [] : anyLie(world, liar);
  switch (message.type) {
    case 'request':
      if (world.chance.random() < 0.5) return { type: 'grant', nonce: message.nonce, records };
      return { type: 'denial', nonce: message.nonce, reason: 'full', records };
    case 'confirm': {
      const { round, participantsHash } = message;
      if (world.chance.random() < 0.3) return { type: 'mismatch', round, records };
      return { type: 'confirmed', round, participantsHash, records };
    }
    case 'transfer':
    case 'offer':
      return { type: 'receipt', nonce: message.nonce };
    default:
      return undefined;
  }
}

/** A message to one router that it did not ask for. */
function address(world: World): void {
  const { chance, hosts } = world;
  const liar = anyLiar(world);
  const [ring] = liar?.ring?.ring === undefined ? [] : [liar.ring.ring];
  const honest = hosts.honest().filter((host) => liar !== undefined && reaches(liar, host));
  if (liar === undefined || ring === undefined || honest.length === 0) return;
  const nonce = chance.below(50);
  const records = anyLie(world, liar);
  const participant = ownRecord(world, liar);
  const span = anySpan(world);
  const messages: readonly Message[] = [
    { type: 'request', nonce, span, participant },
    { type: 'grant', nonce, records },
    { type: 'denial', nonce, reason: chance.pick(['full', 'used', 'not-mine', 'not-now']), records },
    {
      type: 'confirm',
      ...{ round: nonce, participantsHash: ring.participantsHash, records },
      spans: [{ ...span, version: versionIn(world, liar, span) }],
    },
    { type: 'confirmed', round: nonce, participantsHash: ring.participantsHash, records },
    { type: 'mismatch', round: nonce, records },
    { type: 'offer', nonce },
    { type: 'accept', nonce, participant },
    { type: 'transfer', nonce, records },
    { type: 'receipt', nonce },
  ];
  const message = chance.pick(messages);
  world.count(`lie: ${message.type}`);
  world.network.post(liar, chance.pick(honest), { kind: 'message', message });
}

/** Tells a lie to some of the others. */
function spread(world: World, lie: (world: World, liar: Host) => readonly RingRecord[]): void {
  const liar = anyLiar(world);
  if (liar?.ring?.ring === undefined) return;
  const records = lie(world, liar);
  world.count(`lie: ${lie.name}`);
  for (const to of world.hosts.honest()) {
    if (world.chance.random() < 0.6) world.network.post(liar, to, { kind: 'records', records });
  }
}

function anyLiar({ hosts, chance }: World): Host | undefined {
  const liars = hosts.up().filter(({ isLiar }) => isLiar);
  return liars.length === 0 ? undefined : chance.pick(liars);
}

function anyLie(world: World, liar: Host): readonly RingRecord[] {
  return world.chance.pick([claimOfOthers, giftOfOthers, endOfOthers, oldRecords])(world, liar);
}

/** Addresses that somebody owns are the liar's. */
function claimOfOthers(world: World, liar: Host): readonly RingRecord[] {
  return [ownership(world, liar, liar)];
}

/** Addresses that somebody owns are another's. */
function giftOfOthers(world: World, liar: Host): readonly RingRecord[] {
  return [ownership(world, liar, world.chance.pick(world.hosts.all))];
}

/** Somebody who lives has ended, and the liar succeeds. */
function endOfOthers(world: World, liar: Host): readonly RingRecord[] {
  const { peer } = world.chance.pick(world.hosts.all);
  const { incarnation } = liar.ring?.ring?.latestIncarnation(peer) ?? { incarnation: 0 };
  const far = limit(world, liar);
  const later = world.chance.pick([incarnation, incarnation, incarnation + 1, far, far + 1e6, HIGHEST]);
  return [ended(liar, peer, later)];
}

/** Peers have ended that never were. */
function madeUpPeers(world: World, liar: Host): readonly RingRecord[] {
  return Array.from({ length: MADE_UP }, () => {
    const peer = world.chance
      .below(2 ** 32)
      .toString(16)
      .padStart(16, 'f') as PeerId;
    return ended(liar, peer, 1 + world.chance.below(1_000));
  });
}

/** What others signed long ago: of peers that left, too. */
function oldRecords(world: World): readonly RingRecord[] {
  const { heard, chance } = world;
  return Array.from({ length: Math.min(8, heard.length) }, () => chance.pick(heard));
}

function ended(liar: Host, peer: PeerId, incarnation: number): ParticipantRecord {
  const successor = { successor: liar.peer, successorIncarnation: Math.max(1, liar.disk.incarnation) };
  return liar.signer.participant({ peer, incarnation, ended: true, ...successor, sequence: 0, free: 0 });
}

function ownership(world: World, liar: Host, owner: Host): RingRecord {
  const span = anySpan(world);
  const { incarnation } = liar.ring?.ring?.latestIncarnation(owner.peer) ?? { incarnation: 0 };
  return liar.signer.ownership({
    ...span,
    version: versionIn(world, liar, span),
    owner: owner.peer,
    ownerIncarnation: Math.max(1, incarnation),
    signerIncarnation: Math.max(1, liar.disk.incarnation),
  });
}

/** The next version, one far beyond, the highest that is believed, and one that is not. */
function versionIn(world: World, liar: Host, span: Span): number {
  const arcs = liar.ring?.ring?.within(span) ?? [];
  const version = arcs.reduce((highest, { record }) => Math.max(highest, record.version), 0);
  const highest = limit(world, liar);
  return world.chance.pick([
    version,
    version + 1,
    version + 1,
    version + 5_000_000,
    highest,
    highest + 1e9,
    HIGHEST,
  ]);
}

function limit(world: World, liar: Host): number {
  return (world.now(liar) - liar.skew) * 1_024 + FAR;
}

/** The liar takes part, perhaps in another incarnation than it does. */
function ownRecord(world: World, { peer, signer, disk }: Host): ParticipantRecord {
  const incarnation = Math.max(1, disk.incarnation + world.chance.pick([0, 0, 1, 1e9, FAR]));
  const self = { successor: peer, successorIncarnation: incarnation };
  const free = world.chance.pick([0, 1, 2 ** 40]);
  return signer.participant({
    peer,
    incarnation,
    ended: false,
    ...self,
    sequence: world.chance.below(1_000),
    free,
  });
}

function anySpan({ chance, range }: World): Span {
  const size = range.end - range.start;
  const length = Math.max(1, Math.floor(size / chance.pick([1, 2, 4, 16, size])));
  const start = range.start + chance.below(size - length + 1);
  return { start, end: start + length };
}
