/**
 * Records the corpus anew, from simulated routers that join, publish, share addresses, elect, expel and leave:
 * `npx tsx test/fuzz/record.ts`. Keys and nonces of sessions are others each time.
 */
import { encode } from '../../src/codec.js';
import { decodeDelta } from '../../src/gossip/owned-wire.js';
import { parseSecret } from '../../src/identity/index.js';
import { decodeDelta as decodeRing, ringRecord } from '../../src/ipam/ring/record-wire.js';
import { encodeHello } from '../../src/mesh/link/handshake.js';
import { encodeMessage, type LinkMessage } from '../../src/mesh/link/index.js';
import * as wire from '../../src/mesh/link/messages.js';
import { linkProof } from '../../src/mesh/link/proof.js';
import { decodeMemberDelta } from '../../src/mesh/membership/index.js';
import * as path from '../../src/overlay/path/messages.js';
import * as session from '../../src/overlay/session/messages.js';
import type { Content } from '../../src/trust/index.js';
import { query, withEdns } from '../unit/dns/zone.js';
import { writeCorpus } from './corpus.js';
import { type Router, Routers } from './router.js';

/** Messages that are kept of each kind: evenly spread over the lengths that there are. */
const KEPT = 12;
/** Longer ones are left out: a mutation of them hits what matters less often. */
const MAX_BYTES = 3_000;

/** A channel that no router has. */
const LETTERS = 'letters';

const recorded = new Map<string, Map<string, Buffer>>();

function note(kind: string, bytes: Uint8Array): void {
  const copy = Buffer.from(bytes);
  const known = recorded.get(kind) ?? new Map<string, Buffer>();
  if (copy.length <= MAX_BYTES) known.set(copy.toString('hex'), copy);
  recorded.set(kind, known);
}

function noteLink(message: LinkMessage): void {
  note(message.type, encodeMessage(message));
  if (message.type === 'digest') note(`digest-${message.channel}`, message.digest);
  if (message.type !== 'deltas') return;
  for (const delta of message.deltas) {
    note(`delta-${message.channel}`, delta);
    noteContent(message.channel, delta);
  }
}

/** What is signed within a delta. */
function noteContent(channel: string, delta: Uint8Array): void {
  if (channel === 'trust') note('statement', delta);
  else if (channel === 'election') note('election-delta', delta);
  else if (channel === 'addresses') {
    for (const record of decodeRing(delta).records) note('ring-record', encode(ringRecord, record));
  } else if (channel === 'members') {
    const read = decodeMemberDelta(delta);
    if (read.kind === 'record') note('member-record', read.record.record);
  } else {
    for (const { entries } of decodeDelta(delta)) {
      for (const { content } of entries)
        if (content.value !== undefined) note(`${channel}-value`, content.value);
    }
  }
}

function noteUnicast(channel: string, bytes: Buffer): void {
  if (channel !== LETTERS) note(channel === 'addresses' ? 'ring-message' : channel, bytes);
}

/** Everything that routers say to each other in the life of a small network. */
async function live(): Promise<void> {
  const routers = new Routers(7);
  routers.onMessage = noteLink;
  routers.onUnicast = noteUnicast;
  for (let count = 0; count < 5; count++) await routers.add();
  await routers.run(6_000);
  const [first, second, third, fourth] = routers.all as [Router, Router, Router, Router];
  for (const [index, router] of routers.all.entries()) router.publish(index + 1);
  for (const router of routers.all) void router.addresses.allocate('container').catch(() => {});
  first.vote();
  await routers.run(4_000);
  first.sim.core.send(third.peer, LETTERS, Buffer.from('hello'));
  routers.world.unlink(second.peer, third.peer, true);
  third.sim.quests.clear();
  second.sim.quests.clear();
  second.sim.core.send(third.peer, LETTERS, Buffer.from('over somebody else'));
  const secret = parseSecret(Buffer.alloc(32, 9));
  const dora = { subject: fourth.peer, name: 'dora', heir: first.peer };
  const said: readonly Content[] = [
    { kind: 'removed', ...dora, incarnation: 5 },
    { kind: 'revoked', ...dora },
    { kind: 'rotated', generation: 1, secret },
    { kind: 'finished', generation: 1 },
  ];
  for (const [second, content] of said.entries()) {
    const { statements, sim } = first;
    statements.say(statements.sign(sim.identity, content, 1_700_000_001_000 + 1_000 * second));
  }
  await routers.run(3_000);
  void second.addresses.leave().catch(() => {});
  second.sim.core.membership.update({ left: true });
  await routers.run(3_000);
  routers.world.kill(fourth.sim);
  await routers.run(20_000);
  void first.addresses.remove(fourth.peer).catch(() => {});
  await routers.run(5_000);
}

/** What the simulator leaves out: the start of a link, pings, farewells, and messages about paths. */
function rest(router: Router): void {
  const key = Buffer.alloc(32, 1);
  const proofs = (['initiator', 'responder'] as const).map((role) =>
    linkProof(key, role, Buffer.alloc(64, 2)),
  );
  for (const kind of [wire.PROOF_OFFER, wire.PROOF_ANSWER])
    note('proof', encode(wire.proofMessage, { kind, proofs }));
  note('proof', encode(wire.proofMessage, { kind: wire.PROOF_REFUSED, proofs: [] }));
  const self = router.sim.core.membership.self;
  note('hello', encodeHello(Buffer.alloc(8, 3), '192.0.2.1:6783', self));
  note('hello', encodeHello(Buffer.alloc(8, 4), '[2001:db8::1]:6783', self));
  for (const id of [0, 300, 100_000]) note('ping', encode(wire.ping, { answer: id % 2, id }));
  for (let reason = wire.BYE_STOPPING; reason <= wire.BYE_OLD_SECRET; reason++)
    note('bye', encode(wire.bye, { reason }));
  const endpoints = ['192.0.2.1:6783', '[2001:db8::1]:6783'];
  const peer = [Buffer.from(router.peer, 'hex')];
  const ticket = Buffer.alloc(path.TICKET_BYTES, 5);
  note('path', path.encodePathMessage(path.PUNCH, 1, { endpoints }));
  note('path', path.encodePathMessage(path.PUNCHING, 1, { endpoints }));
  note('path', path.encodePathMessage(path.WHICH_HOP, 2, { peer }));
  note('path', path.encodePathMessage(path.NEXT_HOP, 2, { peer }));
  note('path', path.encodePathMessage(path.MAY_CONNECT, 3, { endpoints }));
  note('path', path.encodePathMessage(path.TICKET, 3, { ticket }));
  note('path', path.encodePathMessage(path.CONNECTED, 3));
  payloads(endpoints);
}

function payloads(endpoints: readonly string[]): void {
  const ciphers = [{ name: 'aes-256-gcm', hardware: true, nanosecondsPer1400: 102 }];
  const offer = {
    keyIndex: 7,
    ciphers,
    pinned: 'auto',
    networks: [0, 7],
    endpoints,
    trusted: ['10.0.0.0/8'],
  };
  note(
    'initiation',
    encode(session.initiationPayload, { incarnation: 1_700_000_000_000, sequence: 1, ...offer }),
  );
  note(
    'initiation',
    encode(session.initiationPayload, { incarnation: 5, sequence: 0, ...offer, trusted: [] }),
  );
  note('response', encode(session.responsePayload, { ...offer, cipher: 'aes-256-gcm' }));
}

function questions(): void {
  for (const type of ['A', 'AAAA', 'PTR', 'SOA', 'MX'] as const) {
    for (const name of ['web.weft.local', 'web', 'weft.local', '1.0.32.10.in-addr.arpa', 'example.com']) {
      note('dns', query({ name, type }, name === 'web' ? withEdns(4096) : {}));
    }
  }
}

/** Evenly spread over all lengths. */
function selected(messages: readonly Buffer[]): Buffer[] {
  const sorted = [...messages].sort((a, b) => a.length - b.length || Buffer.compare(a, b));
  const step = Math.max(1, (sorted.length - 1) / (KEPT - 1));
  const kept = new Set(Array.from({ length: KEPT }, (_, index) => sorted[Math.round(index * step)]));
  return [...kept].flatMap((each) => each ?? []);
}

await live();
rest((await Routers.network(1)).all[0] as Router);
questions();
for (const [kind, messages] of recorded) {
  writeCorpus(kind, selected([...messages.values()]));
  console.log(`${kind}: ${messages.size} recorded`);
}
process.exit(0);
