import { encode } from '../../../src/codec.js';
import { type Identity, parseSecret, proofKeyOf } from '../../../src/identity/index.js';
import { decodeMessage, type LinkMessage } from '../../../src/mesh/link/messages.js';
import { Initiation } from '../../../src/overlay/session/key-agreement.js';
import * as session from '../../../src/overlay/session/messages.js';
import { corpus } from '../corpus.js';
import { below, mutated, pick, type Random } from '../mutate.js';
import { type Router, Routers } from '../router.js';
import type { Subject, Target } from '../target.js';
import { checkUnderstanding } from './channels.js';
import { ringMessage, routed } from './forge.js';

/** What a link carries: the first byte of input says which. */
const TYPES = ['deltas', 'digest', 'unicast', 'routed'] as const satisfies LinkMessage['type'][];
const UNICASTS = ['session', 'path', 'addresses'] as const;
const SEED = 1;
/** Milliseconds that pass in the routers after each input, so that they do what follows from it. */
const PAUSE = 20;

const PROOF_KEY = proofKeyOf(parseSecret(Buffer.alloc(32, 2)));
const [victimIdentity, , hostileIdentity] = Routers.identities(3, SEED) as [Identity, Identity, Identity];
const PEERS = Routers.identities(3, SEED).map(({ peer }) => peer);
const configHash = Routers.configHash(victimIdentity.peer);

/** A router whose neighbour sends whatever it likes over an established link; and what members say to it alone. */
export const MESSAGE_TARGETS: readonly Target[] = [
  {
    name: 'link',
    seeds: TYPES.flatMap((type) => corpus(type)),
    make: linkMessage,
    open: () =>
      openRouter((routers, victim, hostile, input) => {
        const type = TYPES[(input[0] ?? 0) % TYPES.length] ?? 'deltas';
        victim.sim.core.receive(hostile.peer, decodeMessage(type, input.subarray(1)));
        routers.world.clock.run(PAUSE);
      }),
  },
  ...UNICASTS.map((channel) => ({
    name: `unicast-${channel}`,
    seeds: corpus(channel === 'addresses' ? 'ring-message' : channel),
    make: unicastMaker(channel),
    open: () =>
      openRouter((routers, victim, hostile, input) => {
        victim.receive(hostile.peer, channel, input);
        routers.world.clock.run(PAUSE);
      }),
  })),
];

type Take = (routers: Routers, victim: Router, hostile: Router, input: Buffer) => void;

async function openRouter(take: Take): Promise<Subject> {
  const routers = await Routers.network(3, SEED);
  const [victim, author, hostile] = routers.all as [Router, Router, Router];
  return {
    take(input) {
      const answers: Uint8Array[] = [];
      routers.onUnicast = (_, bytes) => answers.push(bytes);
      take(routers, victim, hostile, input);
      return answers;
    },
    verify: () => checkUnderstanding(routers, victim, author),
  };
}

function linkMessage(random: Random): Uint8Array {
  const at = below(random, TYPES.length);
  const type = TYPES[at] ?? 'deltas';
  const seeds = corpus(type);
  const bytes = mutated(pick(random, seeds), random, seeds);
  const forged = type === 'routed' ? routed(hostileIdentity, bytes) : undefined;
  return Buffer.concat([Buffer.of(at), forged ?? bytes]);
}

function unicastMaker(channel: (typeof UNICASTS)[number]): (random: Random) => Uint8Array {
  const seeds = corpus(channel === 'addresses' ? 'ring-message' : channel);
  return (random) => {
    if (channel === 'session' && random() < 0.6) return initiation(random);
    const bytes = mutated(pick(random, seeds), random, seeds);
    if (channel !== 'addresses') return bytes;
    const named = Buffer.concat([configHash, bytes.subarray(8)]);
    return ringMessage({ identity: hostileIdentity, random, peers: PEERS }, named) ?? named;
  };
}

/** The initiation of a session with a payload that is not as it should be, sealed as it should be. */
function initiation(random: Random): Uint8Array {
  const seeds = corpus('initiation');
  const seed = Buffer.from(Array.from({ length: 32 }, () => below(random, 256)));
  const agreement = new Initiation(hostileIdentity, victimIdentity.publicKey, PROOF_KEY, seed);
  const noise = agreement.start(mutated(pick(random, seeds), random, seeds));
  const exchange = seed.subarray(0, session.EXCHANGE_BYTES);
  return encode(session.sessionMessage, { kind: session.INITIATION, exchange, noise });
}
