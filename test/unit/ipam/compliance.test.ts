import { identityFromSeed } from '../../../src/identity/index.js';
import { AddressRing } from '../../../src/ipam/address-ring.js';
import { Election } from '../../../src/ipam/election.js';
import { encodeDelta as encodeClaims, sealOf, signClaims } from '../../../src/ipam/election-wire.js';
import type { Fact, Seat } from '../../../src/ipam/facts.js';
import { RingGossip } from '../../../src/ipam/gossip.js';
import { parseBlock } from '../../../src/ipam/range.js';
import { emptyState } from '../../../src/ipam/state.js';
import { encodeDelta, notaryOf } from '../../../src/ipam/wire.js';
import { gossipChannelCompliance, type Replica } from '../gossip/compliance.js';

const RANGE = parseBlock('10.32.0.0/24');
const NOW = 1000;
const identityOf = (router: number) => identityFromSeed(Buffer.alloc(32, router + 1));
const FOUNDER = identityOf(0).peer;

// --- The ring ------------------------------------------------------------------------------------------------------

/** A router's ring, whose disk is as fast as memory. Router 0 owns all addresses at first. */
function newRing(router: number) {
  const ring = new AddressRing({
    notary: notaryOf(identityOf(router)),
    state: emptyState(RANGE),
    continued: false,
    now: NOW,
    random: () => 0.5,
    reachable: () => false,
    neighbours: () => [],
    nameOf: (peer) => peer,
  });
  const gossip = new RingGossip(RANGE, ring, () => NOW);
  const settle = () => {
    while (ring.save() !== undefined) ring.saved();
    for (const output of ring.outputs()) if (output.kind === 'announce') gossip.announce(output.facts);
  };
  ring.found([FOUNDER]);
  settle();
  return { ring, gossip, settle };
}

function ringReplica(router: number): Replica & { size(): number } {
  const { ring, gossip, settle } = newRing(router);
  let count = 0;
  const give = (to: number) => {
    const seat = seatOf(60 + to, 1, 0);
    ring.receive(seat.peer, { type: 'want', nonce: count, span: RANGE, seat }, NOW);
  };
  return {
    channel: {
      name: gossip.name,
      takeDeltas: () => gossip.takeDeltas(),
      merge(delta, from) {
        const news = gossip.merge(delta, from);
        settle();
        return news;
      },
      digest: () => gossip.digest(),
      refine: (digest) => gossip.refine(digest),
      answer: (digest) => gossip.answer(digest),
    },
    change(what) {
      count += 1;
      if (router === 0 && what < 4) give(what);
      else {
        const fact: Fact = { kind: 'seat', seat: seatOf(70 + router, count, what) };
        ring.merge([fact], NOW);
        gossip.announce([fact]);
      }
      settle();
    },
    state: () => [...(ring.ring?.facts() ?? [])].map((fact) => encodedFact(fact)).sort(),
    size: () => [...(ring.ring?.facts() ?? [])].length,
  };
}

/** Some router takes part in the ring. */
function seatOf(router: number, sequence: number, free: number): Seat {
  const notary = notaryOf(identityOf(router));
  const { peer } = notary;
  return notary.seat({ peer, life: 1, gone: false, heir: peer, heirLife: 1, sequence, free });
}

function encodedFact(fact: Fact): string {
  const charter = { start: RANGE.start, length: RANGE.length, founders: [] };
  return encodeDelta({ charter, facts: [fact] }).toString('hex');
}

gossipChannelCompliance({
  name: 'the address ring',
  make: ringReplica,
  // The host bits of the range.
  unsigned: 1,
  flood() {
    const replicas: (Replica & { size(): number })[] = [];
    return {
      make() {
        const replica = ringReplica(9);
        replicas.push(replica);
        return replica;
      },
      // Each address has one deed that counts, and the router itself has a seat.
      cap: RANGE.end - RANGE.start + 1,
      held: () => replicas[0]?.size() ?? 0,
      *deltas() {
        const notary = notaryOf(identityOf(0));
        const charter = { start: RANGE.start, length: RANGE.length, founders: [FOUNDER] };
        for (let version = 1; version <= 3; version++) {
          for (let start = RANGE.start; start < RANGE.end; start++) {
            const owner = { owner: notary.peer, ownerLife: 1, giverLife: 1 };
            const deed = notary.deed({ start, end: start + 1, version, ...owner });
            yield encodeDelta({ charter, facts: [{ kind: 'deed', deed }] });
          }
        }
      },
    };
  },
});

// --- The election --------------------------------------------------------------------------------------------------

const ELECTORS = 3;

function electionReplica(router: number): Replica & { size(): number } {
  const seal = sealOf(identityOf(router));
  const elector = { electors: ELECTORS, incarnation: router };
  const election = new Election(router < ELECTORS ? { seal, elector } : { seal });
  const save = () => {
    for (let state = election.unsaved; state !== null; state = election.unsaved) election.saved(state);
  };
  let now = 0;
  save();
  return {
    channel: Object.assign(election, { name: 'election' }),
    change(what) {
      now += 10_000;
      if (what % 2 === 0) election.propose();
      else election.tick(now, 0.5);
      save();
    },
    state: () => ({ begun: election.begun, electors: election.electors }),
    size: () => election.electors.length,
  };
}

gossipChannelCompliance({
  name: 'the election',
  make: electionReplica,
  // Whether an election was called for.
  unsigned: 1,
  flood() {
    const replicas: (Replica & { size(): number })[] = [];
    return {
      make() {
        const replica = electionReplica(9);
        replicas.push(replica);
        return replica;
      },
      cap: ELECTORS,
      held: () => replicas[0]?.size() ?? 0,
      *deltas() {
        for (let router = 0; router < 10 * ELECTORS; router++) {
          const { publicKey, peer } = identityOf(router);
          const signed = signClaims(sealOf(identityOf(router)), {
            ...{ publicKey, elector: peer, incarnation: 1, version: 1, electors: ELECTORS },
            ...{ promised: null, accepted: null },
          });
          yield encodeClaims({ begun: true, signed: [signed] });
        }
      },
    };
  },
});
