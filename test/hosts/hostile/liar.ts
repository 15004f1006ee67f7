/** A member that says on the channel of statements whatever it is given: `{token, target, seed, deltas}` as JSON on its stdin. */
import { text } from 'node:stream/consumers';
import type { GossipChannel } from '../../../src/gossip/index.js';
import { identityFromSeed, networkFromToken, parseToken } from '../../../src/identity/index.js';
import { Mesh } from '../../../src/mesh/index.js';

interface Lies {
  readonly token: string;
  readonly target: string;
  readonly seed: string;
  /** Statements, in hexadecimal. */
  readonly deltas: readonly string[];
}

const { token, target, seed, deltas } = JSON.parse(await text(process.stdin)) as Lies;
let untold: readonly Buffer[] = deltas.map((hex) => Buffer.from(hex, 'hex'));

const channel: GossipChannel = {
  name: 'trust',
  takeDeltas() {
    const lies = untold;
    untold = [];
    return lies;
  },
  merge: () => null,
  digest: () => Buffer.alloc(9),
  answer: () => [],
  refine: () => null,
};

const mesh = new Mesh({
  identity: identityFromSeed(Buffer.from(seed, 'hex')),
  network: networkFromToken(parseToken(token)),
  nickname: 'liar',
  version: '0.1.0',
  port: 6783,
  mtu: 1400,
});
const { changed } = mesh.openChannel(channel);
mesh.on('link-up', () => {
  changed();
  console.log('linked');
});
mesh.on('link-down', () => console.log('cut off'));
await mesh.start();
mesh.connect([target]);
