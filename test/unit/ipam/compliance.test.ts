import { identityFromSeed } from '../../../src/identity/index.js';
import { AddressRing } from '../../../src/ipam/address-ring.js';
import { Election } from '../../../src/ipam/election/election.js';
import { encodeDelta as encodeElection, signerOf, signRecord } from '../../../src/ipam/election/wire.js';
import { RingGossip } from '../../../src/ipam/gossip.js';
import { emptyState } from '../../../src/ipam/ownership/state.js';
import { parseBlock } from '../../../src/ipam/ring/range.js';
import { encodeDelta, recordSignerOf } from '../../../src/ipam/ring/record-wire.js';
import type { ParticipantRecord, RingRecord } from '../../../src/ipam/ring/records.js';
import { gossipChannelCompliance, type Replica } from '../gossip/compliance.js';

const RANGE = parseBlock('10.32.0.0/24');
const NOW = 1000;
const identityOf = (router: number) => identityFromSeed(Buffer.alloc(32, router + 1));
const FOUNDER = identityOf(0).peer;

// --- The ring ------------------------------------------------------------------------------------------------------

/** A router's ring, whose disk is as fast as memory. Router 0 owns all addresses at first. */
function newRing(router: number) {
  const ring = new AddressRing({
    signer: recordSignerOf(identityOf(router)),
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
    for (const output of ring.outputs()) if (output.kind === 'announce') gossip.announce(output.records);
  };
  ring.found([FOUNDER]);
  settle();
  return { ring, gossip, settle };
}

function ringReplica(router: number): Replica & { size(): number } {
  const { ring, gossip, settle } = newRing(router);
  let count = 0;
  const give = (to: number) => {
    const participant = participantOf(60 + to, 1, 0);
    ring.receive(participant.peer, { type: 'request', nonce: count, span: RANGE, participant }, NOW);
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
        const record = participantOf(70 + router, count, what);
        ring.merge([record], NOW);
        gossip.announce([record]);
      }
      settle();
    },
    state: () => [...(ring.ring?.records() ?? [])].map((record) => encodedRecord(record)).sort(),
    size: () => [...(ring.ring?.records() ?? [])].length,
  };
}

/** Some router takes part in the ring. */
function participantOf(router: number, sequence: number, free: number): ParticipantRecord {
  const signer = recordSignerOf(identityOf(router));
  const { peer } = signer;
  const successor = { successor: peer, successorIncarnation: 1 };
  return signer.participant({ peer, incarnation: 1, ended: false, ...successor, sequence, free });
}

function encodedRecord(record: RingRecord): string {
  const config = { start: RANGE.start, length: RANGE.length, founders: [] };
  return encodeDelta({ config, records: [record] }).toString('hex');
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
      // Each address has one ownership record in force, and the router itself has a participant record.
      cap: RANGE.end - RANGE.start + 1,
      held: () => replicas[0]?.size() ?? 0,
      *deltas() {
        const signer = recordSignerOf(identityOf(0));
        const config = { start: RANGE.start, length: RANGE.length, founders: [FOUNDER] };
        for (let version = 1; version <= 3; version++) {
          for (let start = RANGE.start; start < RANGE.end; start++) {
            const owner = { owner: signer.peer, ownerIncarnation: 1, signerIncarnation: 1 };
            const record = signer.ownership({ start, end: start + 1, version, ...owner });
            yield encodeDelta({ config, records: [record] });
          }
        }
      },
    };
  },
});

// --- The election --------------------------------------------------------------------------------------------------

const ELECTORS = 3;

function electionReplica(router: number): Replica & { size(): number } {
  const signer = signerOf(identityOf(router));
  const elector = { electors: ELECTORS, incarnation: router };
  const election = new Election(router < ELECTORS ? { signer, elector } : { signer });
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
          const signed = signRecord(signerOf(identityOf(router)), {
            ...{ publicKey, elector: peer, incarnation: 1, version: 1, electors: ELECTORS },
            ...{ promised: null, accepted: null },
          });
          yield encodeElection({ begun: true, signed: [signed] });
        }
      },
    };
  },
});
