import { identityFromSeed, parseSecret, peerIdFromBytes } from '../../../src/identity/index.js';
import { type Content, Statements } from '../../../src/trust/index.js';
import { encodeStatement, makeStatement } from '../../../src/trust/statement.js';
import { gossipChannelCompliance, type Replica } from '../gossip/compliance.js';

const identities = [0, 1, 2, 9].map((router) => identityFromSeed(Buffer.alloc(32, router + 1)));
const [anna = identityFromSeed(Buffer.alloc(32))] = identities;

function newStatements(router: number): Statements {
  return new Statements({
    identity: identities[router] ?? anna,
    epoch: 0,
    stored: [],
    issuers: [],
    isMember: (peer) => identities.some((identity) => identity.peer === peer),
  });
}

function contentOf(what: number): Content {
  const subject = identities[what % 3]?.peer ?? anna.peer;
  if (what < 2) return { kind: 'removed', subject, name: 'x', incarnation: what };
  if (what < 4) return { kind: 'revoked', subject, name: 'x' };
  if (what < 5) return { kind: 'rotated', generation: 1, secret: parseSecret(Buffer.alloc(32, what)) };
  return { kind: 'finished', generation: 1 };
}

function replicaOf(statements: Statements): Replica {
  let now = 2000;
  return {
    channel: statements,
    change: (what) => statements.say(contentOf(what), now--),
    state: () =>
      statements
        .encoded()
        .map((bytes) => bytes.toString('hex'))
        .sort(),
  };
}

gossipChannelCompliance({
  name: 'statements',
  make: (router) => replicaOf(newStatements(router)),
  flood() {
    const cap = 1024; // what is kept of one issuer, but for what the other one says

    const listeners: Statements[] = [];
    return {
      make() {
        const statements = newStatements(3);
        listeners.push(statements);
        return replicaOf(statements);
      },
      cap: cap + 1,
      held: () => listeners[0]?.encoded().length ?? 0,
      *deltas() {
        const subject = Buffer.alloc(8);
        for (let index = 0; index < 2 * cap; index++) {
          subject.writeUInt32BE(Math.imul(index, 0x9e3779b1) >>> 0);
          const content: Content = { kind: 'revoked', subject: peerIdFromBytes(subject), name: '' };
          yield encodeStatement(makeStatement(anna, content, { epoch: 0, time: 1000 }));
        }
        const another = newStatements(1);
        another.say({ kind: 'revoked', subject: anna.peer, name: '' }, 1000);
        yield* another.takeDeltas();
      },
    };
  },
});
