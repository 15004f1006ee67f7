import {
  type Identity,
  identityFromSeed,
  type PeerId,
  parseSecret,
  peerIdFromBytes,
} from '../../../src/identity/index.js';
import { type Content, Statements } from '../../../src/trust/index.js';
import { encodeStatement, makeStatement } from '../../../src/trust/statement.js';
import { gossipChannelCompliance, type Replica } from '../gossip/compliance.js';

const identities = [0, 1, 2, 9].map((router) => identityFromSeed(Buffer.alloc(32, router + 1)));
const [anna = identityFromSeed(Buffer.alloc(32))] = identities;

function identityOf(router: number): Identity {
  return identities[router] ?? anna;
}

function newStatements(router: number): Statements {
  return new Statements({
    self: identityOf(router).peer,
    epoch: 0,
    stored: [],
    issuers: [],
    isMember: (peer) => identities.some((identity) => identity.peer === peer),
  });
}

function contentOf(what: number, heir: PeerId): Content {
  const subject = identities[what % 3]?.peer ?? anna.peer;
  if (what < 2) return { kind: 'removed', subject, name: 'x', heir, incarnation: what };
  if (what < 4) return { kind: 'revoked', subject, name: 'x', heir };
  if (what < 5) return { kind: 'rotated', generation: 1, secret: parseSecret(Buffer.alloc(32, what)) };
  return { kind: 'finished', generation: 1 };
}

function replicaOf(router: number): Replica {
  const statements = newStatements(router);
  const identity = identityOf(router);
  let now = 2000;
  return {
    channel: statements,
    change: (what) => statements.say(statements.sign(identity, contentOf(what, identity.peer), now--)),
    state: () =>
      statements
        .encoded()
        .map((bytes) => bytes.toString('hex'))
        .sort(),
  };
}

gossipChannelCompliance({
  name: 'statements',
  make: replicaOf,
  flood() {
    const cap = 1024; // what is kept of one issuer, but for what the other one says

    const listeners: Replica[] = [];
    return {
      make() {
        const listener = replicaOf(3);
        listeners.push(listener);
        return listener;
      },
      cap: cap + 1,
      held: () => (listeners[0]?.state() as unknown[]).length,
      *deltas() {
        const subject = Buffer.alloc(8);
        for (let index = 0; index < 2 * cap; index++) {
          subject.writeUInt32BE(Math.imul(index, 0x9e3779b1) >>> 0);
          const content: Content = {
            kind: 'revoked',
            subject: peerIdFromBytes(subject),
            name: '',
            heir: anna.peer,
          };
          yield encodeStatement(makeStatement(anna, content, { epoch: 0, time: 1000 }));
        }
        const another = replicaOf(1);
        another.change(3);
        yield* another.channel.takeDeltas();
      },
    };
  },
});
