import { VirtualClock } from '../../../../bench/sim/virtual-clock.js';
import { identityFromSeed } from '../../../../src/identity/index.js';
import { Membership } from '../../../../src/mesh/membership/membership.js';
import { gossipChannelCompliance, type Replica } from '../../gossip/compliance.js';

function newMembership(router: number, limit = 100): Membership {
  return new Membership({
    identity: identityFromSeed(Buffer.alloc(32, router + 1)),
    startedAt: 1000,
    self: {
      nickname: 'nickname',
      version: '0.1.0',
      port: 6783,
      mtu: 1418,
      endpoints: ['192.0.2.1:6783'],
      features: [],
      ciphers: [],
      links: [],
      left: false,
    },
    limit,
    clock: new VirtualClock(),
    suspicionTime: 30_000,
    leftTime: 3_600_000,
    events: { changed() {}, member() {}, superseded() {} },
  });
}

function replicaOf(membership: Membership): Replica {
  let count = 0;
  return {
    channel: membership,
    change(what) {
      count += 1;
      if (what === 5) membership.update({ left: true });
      else membership.update({ nickname: `nickname ${count}`, port: what + 1 });
    },
    state: () => membership.all().map(({ record }) => Buffer.from(record).toString('hex')),
  };
}

gossipChannelCompliance({
  name: 'the membership',
  make: (router) => replicaOf(newMembership(router)),
  flood() {
    const cap = 20;
    const listeners: Membership[] = [];
    return {
      make() {
        const membership = newMembership(99, cap);
        listeners.push(membership);
        return replicaOf(membership);
      },
      cap,
      held: () => listeners[0]?.size ?? 0,
      *deltas() {
        for (let router = 0; router < 3 * cap; router++) {
          const madeUp = newMembership(router);
          madeUp.update({ nickname: 'made up' });
          yield* madeUp.takeDeltas();
        }
      },
    };
  },
});
