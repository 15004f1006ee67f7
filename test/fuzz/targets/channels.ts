import type { GossipChannel } from '../../../src/gossip/index.js';
import { MAX_GOSSIP_BYTES } from '../../../src/gossip/index.js';
import { decodeDelta } from '../../../src/gossip/owned-wire.js';
import type { Identity } from '../../../src/identity/index.js';
import { corpus } from '../corpus.js';
import { below, mutated, pick, type Random } from '../mutate.js';
import { RANGE, type Router, Routers } from '../router.js';
import { Fault, isFault, type Subject, type Target } from '../target.js';
import { electionDelta, memberDelta, ownedDelta, ringDelta, STRANGERS, statementDelta } from './forge.js';

/** What is done with input: its first byte says which. */
const MERGE = 0;
const ANSWER = 1;
const REFINE = 2;
/** Of the mutated messages those that are signed again, so that they get past the first check. */
const FORGED = 0.7;
/** Incarnations of the forger in the order in which they supersede each other; the last ones are as high as they may be. */
const INCARNATIONS = [1, 2, 1_700_000_000_000, 1_700_000_000_001, 2 ** 52 - 1, 2 ** 52, 2 ** 53 - 1];
/** Arcs and participants that a ring of the range may have: one for each address, and those that are made up. */
const RING_CAP = RANGE.end - RANGE.start + 4_096;

const SEED = 1;
const PEERS = [...Routers.identities(2, SEED), ...STRANGERS].map(({ peer }) => peer);

/** Makes a delta of a channel that the member signed, out of mutated content. */
type Forge = (random: Random, forger: Identity) => Buffer | undefined;

const FORGES: Readonly<Record<string, Forge>> = {
  members: (random, forger) => memberDelta(forger, content(random, 'member-record')),
  trust: (random, forger) => statementDelta(forger, content(random, 'statement')),
  election: (random, forger) => electionDelta(forger, content(random, 'election-delta')),
  addresses: (random, identity) =>
    ringDelta({ identity, random, peers: PEERS }, ofThisRing(content(random, 'delta-addresses'))),
  names: owned('names'),
  endpoints: owned('endpoints'),
  networks: owned('networks'),
  policies: owned('policies'),
  links: owned('links'),
  secret: owned('secret'),
};

/** Each gossip channel of a router that has neighbours, of which one is hostile. */
export const CHANNEL_TARGETS: readonly Target[] = Object.entries(FORGES).map(([name, forge]) => ({
  name: `channel-${name}`,
  seeds: [...corpus(`delta-${name}`), ...corpus(`digest-${name}`)],
  make: maker(name, forge),
  open: async () => openChannel(name),
}));

function maker(name: string, forge: Forge): (random: Random) => Uint8Array {
  const deltas = corpus(`delta-${name}`);
  const digests = corpus(`digest-${name}`);
  return (random) => {
    const op = pick(random, [MERGE, MERGE, MERGE, ANSWER, REFINE]);
    const forged = op === MERGE && random() < FORGED ? forge(random, pick(random, STRANGERS)) : undefined;
    const seeds = op === MERGE ? deltas : digests;
    return Buffer.concat([Buffer.of(op), forged ?? mutated(pick(random, seeds), random, seeds)]);
  };
}

async function openChannel(name: string): Promise<Subject> {
  const routers = await Routers.network(2, SEED);
  const [victim, author] = routers.all as [Router, Router];
  for (const router of routers.all) router.publish(1);
  await routers.run(500);
  for (const router of routers.all) admitStrangers(router);
  const channel = channelOf(victim, name);
  const next = channelOf(author, name);
  return {
    take(input) {
      const bytes = input.subarray(1);
      if (input[0] === ANSWER) return channel.answer(bytes);
      if (input[0] === REFINE) return [channel.refine?.(bytes) ?? Buffer.alloc(0)];
      const news = channel.merge(bytes, author.peer);
      if (news !== null) relay(next, news, victim);
      return [...(news === null ? [] : [news]), ...channel.takeDeltas()];
    },
    async verify() {
      checkHeld(victim, name);
      checkDigest(channel);
      await checkUnderstanding(routers, victim, author);
    },
  };
}

/** Only what members say is kept. */
function admitStrangers({ sim }: Router): void {
  const [record = Buffer.alloc(0)] = corpus('member-record');
  for (const stranger of STRANGERS) {
    const delta = memberDelta(stranger, record);
    if (delta !== undefined) sim.core.membership.merge(delta, sim.peer);
  }
}

function channelOf(router: Router, name: string): GossipChannel {
  const channel = name === 'members' ? router.sim.core.membership : router.channels.get(name);
  if (channel === undefined) throw new Error(`there is no channel ${name}`);
  return channel;
}

/** What one router takes for news the next one can read. */
function relay(next: GossipChannel, news: Uint8Array, from: Router): void {
  try {
    next.merge(Buffer.from(news), from.peer);
  } catch (error) {
    throw new Fault(`what was relayed as news is refused by the next router: ${String(error)}`, {
      cause: error,
    });
  }
}

function checkHeld(router: Router, name: string): void {
  if (router.owned.has(name)) {
    const { held, cap } = router.recordsHeld(name);
    if (held > cap) throw new Fault(`${held} records are held, and the cap is ${cap}`);
  }
  const owners = router.addresses.view().owners.length;
  if (owners > RING_CAP) throw new Fault(`${owners} owners are held, and the cap is ${RING_CAP}`);
}

/** A digest that fits a message, and that answers itself with nothing. */
function checkDigest(channel: GossipChannel): void {
  const digest = channel.digest();
  if (digest.length > MAX_GOSSIP_BYTES) throw new Fault(`a digest has ${digest.length} bytes`);
  if (channel.answer(digest).length > 0) throw new Fault('a router lacks something of its own state');
}

/** After all that, honest routers still hear each other in all channels. */
export async function checkUnderstanding(routers: Routers, victim: Router, author: Router): Promise<void> {
  author.publish(77);
  await routers.run(2_000);
  for (const name of ['names', 'endpoints', 'networks', 'policies', 'secret']) {
    const told = [...(author.owned.get(name)?.entries(author.peer) ?? [])].map(({ key }) => key).sort();
    const heard = [...(victim.owned.get(name)?.entries(author.peer) ?? [])].map(({ key }) => key).sort();
    if (told.join() !== heard.join()) throw new Fault(`${name}: ${told} was told, and ${heard} was heard`);
  }
  const refusals = [...victim.warnings, ...victim.sim.refused, ...author.sim.refused];
  const fault = refusals.find(isFault);
  if (fault !== undefined) throw new Fault(`a router failed inside: ${fault.message}`, { cause: fault });
}

function content(random: Random, name: string): Buffer {
  const seeds = corpus(name);
  return mutated(pick(random, seeds), random, seeds);
}

/** The delta of a ring as one of that of the victim, which its first router founded. */
function ofThisRing(delta: Buffer): Buffer {
  const founder = Buffer.from(PEERS[0] ?? '', 'hex');
  return Buffer.concat([delta.subarray(0, 6), founder, delta.subarray(6 + founder.length)]);
}

/** Records of the forger with keys and values that others have, mutated. */
function owned(channel: string): Forge {
  return (random, forger) => {
    const seeds = corpus(`${channel}-value`);
    const value = pick(random, seeds);
    const key = Buffer.from(keyOf(random, channel));
    return ownedDelta(forger, channel, {
      incarnation: pick(random, INCARNATIONS.slice(0, -1)),
      initial: pick(random, [0, 1, 2, 2 ** 53 - 1]),
      sequence: pick(random, [0, 1, 2, below(random, 1_000), 2 ** 53 - 1]),
      key: (random() < 0.3 ? mutated(key, random, [key]) : key).toString().slice(0, 80),
      value: random() < 0.1 ? undefined : random() < 0.7 ? mutated(value, random, seeds) : value,
    });
  };
}

function keyOf(random: Random, channel: string): string {
  const keys = corpus(`delta-${channel}`).flatMap((delta) =>
    decodeDelta(delta).flatMap(({ entries }) => entries.map(({ content }) => content.key)),
  );
  return pick(random, keys);
}
