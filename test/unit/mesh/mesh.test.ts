import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { boundedString } from '../../../src/codec.js';
import { OwnedRecords } from '../../../src/gossip/index.js';
import {
  type Identity,
  identityFromSeed,
  networkFromToken,
  newNetwork,
  type PeerId,
} from '../../../src/identity/index.js';
import type { Mesh } from '../../../src/mesh/index.js';
import { addressOf, fullyLinked, idOf, network, startMesh, until } from './meshes.js';

/** A plain TCP connection to a router, as a stranger's. */
function dialRaw(port: number): Socket {
  return connect(port, '127.0.0.1').on('error', () => {});
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.resume();
    socket.on('close', () => resolve());
    if (socket.destroyed) resolve();
  });
}

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === 'TCPSocketWrap').length;
}

function openRecords(mesh: Mesh, identity: Identity): OwnedRecords<string> {
  const records = new OwnedRecords({ name: 'test', identity, now: Date.now, value: boundedString(99) });
  const channel = mesh.openChannel(records);
  records.on('pending', () => channel.changed());
  return records;
}

/** A way to a port of this machine; what comes back from there takes so many milliseconds. */
async function slowRoad(to: number) {
  const road = { port: 0, delay: 0 };
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = dialRaw(to);
    near.on('error', () => {}).pipe(far);
    far.on('data', (bytes) => setTimeout(() => near.write(bytes), road.delay));
    far.on('end', () => setTimeout(() => near.end(), road.delay));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  road.port = (server.address() as AddressInfo).port;
  return Object.assign(road, { [Symbol.asyncDispose]: async () => void server.close() });
}

describe('two routers of one network', () => {
  test('link, know each other by name and carry messages both ways', async () => {
    const [anna, ben] = [await startMesh('anna'), await startMesh('ben')];
    anna.connect([addressOf(ben)]);
    await fullyLinked(anna, ben);

    expect(anna.links()).toMatchObject([{ peer: idOf(ben), nickname: 'ben', direction: 'outbound' }]);
    expect(ben.links()).toMatchObject([{ peer: idOf(anna), nickname: 'anna', direction: 'inbound' }]);
    expect(anna.targets()).toMatchObject([{ target: addressOf(ben), state: 'connected', peer: idOf(ben) }]);

    const heard = [once(ben, 'message'), once(anna, 'message')];
    expect(anna.send(idOf(ben), 'greeting', Buffer.from('hello'))).toBe(true);
    expect(ben.send(idOf(anna), 'greeting', Buffer.from('hello back'))).toBe(true);
    expect(await Promise.all(heard)).toEqual([
      [idOf(anna), 'greeting', Buffer.from('hello')],
      [idOf(ben), 'greeting', Buffer.from('hello back')],
    ]);
  });

  test('say goodbye: the other knows at once that the peer left, and stops looking for it', async () => {
    const [anna, ben] = [await startMesh('anna'), await startMesh('ben')];
    anna.connect([addressOf(ben)]);
    await fullyLinked(anna, ben);
    const id = idOf(anna);
    await Promise.all([once(ben, 'link-down'), anna.stop()]);
    expect(ben.member(id)).toMatchObject({ left: true, linked: false });
  });

  test('link again after the connection is lost, and after a restart of the other on its port', async () => {
    const seed = randomBytes(32);
    const anna = await startMesh('anna', { timings: { backoffReset: 0 } });
    const ben = await startMesh('ben', { identity: identityFromSeed(seed) });
    const { port } = ben;
    anna.connect([addressOf(ben)]);
    await fullyLinked(anna, ben);
    await Promise.all([once(anna, 'link-down'), ben.stop({ leave: false })]);
    const again = await startMesh('ben', { identity: identityFromSeed(seed), port });
    await fullyLinked(anna, again);
    expect(anna.member(idOf(again))).toMatchObject({ left: false, linked: true });
  });

  test('keep one link when both dial at once, without a moment in which they have none', async () => {
    const seeds = Array.from({ length: 50 }, () => [randomBytes(32), randomBytes(32)]);
    for (const [one = Buffer.alloc(32), two = Buffer.alloc(32)] of seeds) {
      const anna = await startMesh('anna', { identity: identityFromSeed(one) });
      const ben = await startMesh('ben', { identity: identityFromSeed(two) });
      const flaps: string[] = [];
      for (const mesh of [anna, ben]) mesh.on('link-down', (peer) => flaps.push(peer));
      const heard = new Set<string>();
      for (const mesh of [anna, ben]) mesh.on('message', (_, __, bytes) => heard.add(bytes.toString()));

      anna.connect([addressOf(ben)]);
      ben.connect([addressOf(anna)]);
      await fullyLinked(anna, ben);
      for (let i = 0; i < 5; i++) {
        expect(anna.send(idOf(ben), 'x', Buffer.from(`a${i}`))).toBe(true);
        expect(ben.send(idOf(anna), 'x', Buffer.from(`b${i}`))).toBe(true);
      }
      await Promise.race([anna, ben].map((mesh) => until(mesh, ['message'], () => heard.size === 10)));
      expect(flaps).toEqual([]);
      // Both ends of one connection are left.
      while (openSockets() > 2) await new Promise(setImmediate);
      expect([anna, ben].map((mesh) => mesh.links().length)).toEqual([1, 1]);
      await Promise.all([anna.stop({ leave: false }), ben.stop({ leave: false })]);
    }
  }, 60_000);

  test('lose nothing that one said over a link that the other closes for a second one', async () => {
    const identities = [1, 2].map((seed) => identityFromSeed(Buffer.alloc(32, seed)));
    // The one with the lower key decides which link stays.
    const [low, high] = identities.sort((a, b) => Buffer.compare(a.publicKey, b.publicKey));
    if (low === undefined || high === undefined) throw new Error('no identities');
    const timings = { antiEntropy: 1e6 };
    const anna = await startMesh('anna', { identity: high, timings });
    const ben = await startMesh('ben', { identity: low, timings });
    openRecords(anna, high).set('said', 'once');
    const heard = once(openRecords(ben, low), 'change');
    await using slow = await slowRoad(anna.port);
    ben.connect([`127.0.0.1:${slow.port}`]);
    await once(ben, 'link-up');
    slow.delay = 200;
    ben.connect([addressOf(anna)]);
    expect(await heard).toEqual([high.peer, 'said', 'once']);
    expect(ben.counters()).toEqual({});
    expect(ben.links()).toMatchObject([{ remoteAddress: addressOf(anna) }]);
  });

  test('recognise themselves behind an address, and do not try it again', async () => {
    const anna = await startMesh('anna');
    const done = new Promise<void>((resolve) => {
      const look = () => {
        if (anna.targets()[0]?.state === 'self') resolve();
        else setImmediate(look);
      };
      look();
    });
    anna.connect([addressOf(anna)]);
    await done;
    expect(anna.links()).toEqual([]);
    expect(anna.targets()[0]).toMatchObject({ state: 'self', lastError: { code: 'self' } });
  });
});

describe('three routers', () => {
  test('find each other through the one that they share', async () => {
    const [anna, ben, carl] = [await startMesh('anna'), await startMesh('ben'), await startMesh('carl')];
    anna.connect([addressOf(ben)]);
    carl.connect([addressOf(ben)]);
    await fullyLinked(anna, ben, carl);
    for (const mesh of [anna, ben, carl]) {
      expect(
        mesh
          .members()
          .map((member) => member.nickname)
          .sort(),
      ).toEqual(['anna', 'ben', 'carl']);
    }
  });

  test('two copies of one identity are told apart and both are told', async () => {
    const seed = randomBytes(32);
    const ben = await startMesh('ben');
    const anna = await startMesh('anna', { identity: identityFromSeed(seed) });
    anna.connect([addressOf(ben)]);
    await fullyLinked(anna, ben);
    const copy = await startMesh('copy', { identity: identityFromSeed(seed) });
    const warned = new Promise((resolve) => ben.on('warning', (error) => resolve(error.code)));
    const told = new Promise((resolve) => copy.on('link-down', (_, reason) => resolve(reason.code)));
    const first = new Promise((resolve) => anna.on('warning', (error) => resolve(error.code)));
    copy.connect([addressOf(ben)]);
    expect(await warned).toBe('identity-cloned');
    expect(await told).toBe('identity-cloned');
    expect(await first).toBe('identity-cloned');
    expect(anna.links()).toHaveLength(1);
  });

  test.runIf(process.env.WEFT_LONG === '1')(
    'two copies that share no neighbour are both told, and do not race',
    async () => {
      const seed = randomBytes(32);
      const options = { discovery: false };
      const [ben, carl] = [await startMesh('ben', options), await startMesh('carl', options)];
      const copies = [];
      for (const neighbour of [ben, carl]) {
        const copy = await startMesh('copy', { identity: identityFromSeed(seed), ...options });
        copy.connect([addressOf(neighbour)]);
        await until(copy, ['link-up'], () => copy.links().length === 1);
        copies.push(copy);
      }
      const warned = copies.map(
        (copy) => new Promise((resolve) => copy.on('warning', (error) => resolve(error.code))),
      );
      ben.connect([addressOf(carl)]);
      expect(await Promise.all(warned)).toEqual(['identity-cloned', 'identity-cloned']);
      for (const copy of copies) expect(copy.links()).toHaveLength(1);
    },
    40_000,
  );
});

describe('routers that are not linked', () => {
  test('talk over those between them, and see who is linked to whom', async () => {
    const chain = await Promise.all(
      ['anna', 'ben', 'carl', 'dora', 'emil'].map((name) => startMesh(name, { discovery: false })),
    );
    for (const [i, mesh] of chain.slice(1).entries()) mesh.connect([addressOf(chain[i] ?? mesh)]);
    const [anna, , , , emil] = chain;
    if (anna === undefined || emil === undefined) throw new Error('the chain is too short');
    const ids = chain.map(idOf);
    await until(emil, ['member'], () => emil.reachable(idOf(anna)));
    await until(anna, ['member'], () => anna.reachable(idOf(emil)));
    const heard = [once(emil, 'message'), once(anna, 'message')];
    expect(anna.send(idOf(emil), 'greeting', Buffer.from('hello'))).toBe(true);
    expect(emil.send(idOf(anna), 'greeting', Buffer.from('hello back'))).toBe(true);
    expect(await Promise.all(heard)).toEqual([
      [idOf(anna), 'greeting', Buffer.from('hello')],
      [idOf(emil), 'greeting', Buffer.from('hello back')],
    ]);
    const expected = ids.map((_, i) => [ids[i - 1], ids[i + 1]].filter((id) => id !== undefined).sort());
    const seen = () => ids.map((id) => [...anna.neighbours(id)].sort());
    await until(anna, ['member'], () => JSON.stringify(seen()) === JSON.stringify(expected));
    expect(chain.map((mesh) => mesh.links().length)).toEqual([1, 2, 2, 2, 1]);
  });
});

describe('a peer that was declared', () => {
  /** Three that are linked; `removed` tells what was declared of peers. */
  async function three() {
    const declared = new Map<PeerId, number>();
    const admits = (peer: PeerId, incarnation: number) => incarnation > (declared.get(peer) ?? 0);
    const [anna, ben] = [await startMesh('anna', { admits }), await startMesh('ben', { admits })];
    const carl = await startMesh('carl');
    for (const mesh of [ben, carl]) mesh.connect([addressOf(anna)]);
    await fullyLinked(anna, ben, carl);
    return { anna, ben, carl, declared };
  }

  test('unwelcome is unlinked, refused and told why, and nobody brings it back', async () => {
    const { anna, ben, carl, declared } = await three();
    const peer = idOf(carl);
    const removals: unknown[] = [];
    ben.on('removed', (...removal) => removals.push(removal));
    declared.set(peer, Infinity);
    for (const mesh of [anna, ben]) mesh.remove(peer, idOf(anna), { expelled: true, incarnation: Infinity });
    const isTold = () => carl.targets()[0]?.lastError?.code === 'revoked';
    await until(carl, ['warning', 'link-down'], () => isTold() && carl.links().length === 0);
    expect(anna.member(peer)).toBeUndefined();
    expect(ben.links().map(({ peer: other }) => other)).toEqual([idOf(anna)]);
    expect(removals).toEqual([[peer, idOf(anna)]]);
  });

  test('dead comes back with a later incarnation, if it lives', async () => {
    const { anna, ben, carl, declared } = await three();
    const peer = idOf(carl);
    const incarnation = anna.member(peer)?.incarnation ?? 0;
    declared.set(peer, incarnation);
    for (const mesh of [anna, ben]) mesh.remove(peer, idOf(anna), { expelled: false, incarnation });
    expect(anna.member(peer)).toBeUndefined();
    carl.remove(peer, idOf(anna), { expelled: false, incarnation });
    await until(anna, ['member'], () => (anna.member(peer)?.incarnation ?? 0) > incarnation);
    await fullyLinked(anna, ben, carl);
  });

  test('dead is not forgotten by whoever hears of it only after its return', async () => {
    const { anna, ben, carl } = await three();
    const peer = idOf(carl);
    const told: unknown[] = [];
    ben.on('forgotten', () => told.push('forgotten'));
    ben.on('removed', (...removal) => told.push(removal));
    const incarnation = ben.member(peer)?.incarnation ?? 0;
    carl.remove(peer, idOf(anna), { expelled: false, incarnation });
    await until(ben, ['member'], () => (ben.member(peer)?.incarnation ?? 0) > incarnation);
    const link = ben.link(peer);
    ben.remove(peer, idOf(anna), { expelled: false, incarnation });
    expect(told).toEqual([[peer, idOf(anna)]]);
    expect(ben.link(peer)).toEqual(link);
  });
});

test('owned records come to all, and what was missed is repaired', async () => {
  const hosts = await Promise.all(
    ['anna', 'ben', 'carl'].map(async (name) => {
      const identity = identityFromSeed(randomBytes(32));
      const mesh = await startMesh(name, { identity, discovery: false, timings: { antiEntropy: 200 } });
      return { mesh, peer: identity.peer, records: openRecords(mesh, identity) };
    }),
  );
  const [anna, ben, carl] = hosts;
  if (anna === undefined || ben === undefined || carl === undefined) throw new Error('no hosts');
  anna.records.set('before', 'the links');
  anna.mesh.connect([addressOf(ben.mesh)]);
  carl.mesh.connect([addressOf(ben.mesh)]);
  const known = async (key: string, value: string | undefined) => {
    while (carl.records.get(anna.peer, key) !== value) await once(carl.records, 'change');
  };
  await known('before', 'the links');
  anna.records.set('after', 'the links');
  await known('after', 'the links');
  anna.records.remove('before');
  await known('before', undefined);
});

describe('strangers', () => {
  test('with another secret are refused, and both sides say why', async () => {
    const ben = await startMesh('ben');
    const stranger = await startMesh('stranger', { network: newNetwork() });
    const warnings = [once(ben, 'warning'), once(stranger, 'warning')];
    stranger.connect([addressOf(ben)]);
    for (const [error] of await Promise.all(warnings)) expect(error).toMatchObject({ code: 'wrong-secret' });
    expect(ben.links()).toEqual([]);
    expect(ben.counters()['wrong-secret']).toBeGreaterThan(0);
    expect(stranger.targets()[0]).toMatchObject({ lastError: { code: 'wrong-secret' } });
  });

  test('with a secret that is being replaced are refused, while members with it are not', async () => {
    const [old] = network.secrets;
    const [fresh] = newNetwork().secrets;
    const identity = identityFromSeed(randomBytes(32));
    const [anna, ben] = [await startMesh('anna', { identity }), await startMesh('ben')];
    anna.connect([addressOf(ben)]);
    await fullyLinked(anna, ben);
    ben.setSecrets([fresh, old]);
    const relinked = once(ben, 'link-up');
    await anna.stop({ leave: false });
    const again = await startMesh('anna', { identity });
    again.connect([addressOf(ben)]);
    await relinked;
    const carl = await startMesh('carl', { network: networkFromToken({ secret: fresh, addresses: [] }) });
    carl.connect([addressOf(ben)]);
    await until(ben, ['link-up'], () => ben.links().length === 2);
    const dora = await startMesh('dora');
    dora.connect([addressOf(ben)]);
    await until(dora, ['warning', 'link-down'], () => dora.targets()[0]?.lastError?.code === 'old-secret');
    expect(ben.links()).toHaveLength(2);
  });

  test('that send garbage, or the recording of a handshake, are refused', async () => {
    const ben = await startMesh('ben', { timings: { handshakeTimeout: 500 } });
    const recorded: Buffer[] = [];
    const tap = createServer((socket) => {
      const onward = dialRaw(ben.port);
      socket.on('data', (bytes: Buffer) => recorded.push(bytes));
      socket.pipe(onward).pipe(socket);
      socket.on('error', () => {});
    }).listen(0, '127.0.0.1');
    await once(tap, 'listening');
    const address = tap.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const anna = await startMesh('anna', { endpoints: [] });
    anna.connect([`127.0.0.1:${port}`]);
    await fullyLinked(anna, ben);
    await anna.stop();
    tap.close();

    const replay = dialRaw(ben.port);
    for (const bytes of recorded) replay.write(bytes);
    const garbage = Array.from({ length: 20 }, (_, i) => {
      const socket = dialRaw(ben.port);
      socket.end(randomBytes(i * 50));
      return socket;
    });
    await Promise.all([replay, ...garbage].map(closed));
    expect(ben.links()).toEqual([]);
    expect(ben.counters()['handshake-failed']).toBeGreaterThan(0);
  });

  test('that connect and say nothing are thrown out after the handshake timeout', async () => {
    const ben = await startMesh('ben', { timings: { handshakeTimeout: 100 } });
    const warned = once(ben, 'warning');
    const silent = dialRaw(ben.port);
    await closed(silent);
    expect((await warned)[0]).toMatchObject({ code: 'handshake-timeout' });
  });

  test('2,000 at once do not keep a link from answering', async () => {
    const limits = { handshakes: 64, handshakesPerAddress: 16, acceptBurst: 32, acceptRate: 8 };
    const anna = await startMesh('anna');
    const ben = await startMesh('ben', { limits });
    ben.connect([addressOf(anna)]);
    await fullyLinked(anna, ben);
    const flood = Array.from({ length: 2000 }, () => dialRaw(ben.port));
    const gone = new Promise<void>((resolve) => {
      let left = flood.length - limits.handshakes;
      for (const socket of flood) void closed(socket).then(() => --left === 0 && resolve());
    });
    for (let i = 0; i < 10; i++) {
      const answer = once(anna, 'message');
      const question = once(ben, 'message');
      anna.send(idOf(ben), 'x', Buffer.of(i));
      await question;
      ben.send(idOf(anna), 'x', Buffer.of(i));
      await answer;
    }
    await gone;
    for (const socket of flood) socket.destroy();
    const { 'accept-limit': limit = 0, 'accept-rate': rate = 0 } = ben.counters();
    expect(limit + rate).toBeGreaterThan(1900);
    expect(ben.links()).toHaveLength(1);
  });
});

describe('remembered members', () => {
  test('are dialled by a router without targets, and are no targets', async () => {
    const [anna, ben] = [await startMesh('anna'), await startMesh('ben')];
    anna.remember([{ peer: idOf(ben), addresses: [addressOf(ben)] }]);
    await fullyLinked(anna, ben);
    expect(anna.targets()).toEqual([]);
    expect(anna.contacts()).toEqual([{ peer: idOf(ben), addresses: [addressOf(ben)] }]);
    expect(ben.contacts()).toEqual([{ peer: idOf(anna), addresses: [addressOf(anna)] }]);
  });

  test('do not take the places of those that are alive', async () => {
    const gone = { peer: identityFromSeed(randomBytes(32)).peer, addresses: ['127.0.0.1:1'] };
    const identity = identityFromSeed(randomBytes(32));
    const anna = await startMesh('anna', { limits: { fullMesh: 1 } });
    const ben = await startMesh('ben', { identity });
    const { port } = ben;
    anna.remember([gone]);
    ben.connect([addressOf(anna)]);
    await fullyLinked(anna, ben);
    await Promise.all([once(anna, 'link-down'), ben.stop({ leave: false })]);
    await fullyLinked(anna, await startMesh('ben', { identity, port }));
  });

  test('are dialled no more once they are to be forgotten', async () => {
    const anna = await startMesh('anna');
    const doors = [1, 2].map(() => createServer((socket) => socket.destroy()));
    let knocks = 0;
    doors[0]?.on('connection', () => knocks++);
    const contacts = await Promise.all(
      doors.map(async (door) => {
        await once(door.listen(0, '127.0.0.1'), 'listening');
        const { port } = door.address() as AddressInfo;
        return { peer: identityFromSeed(randomBytes(32)).peer, addresses: [`127.0.0.1:${port}`] };
      }),
    );
    const knocked = () => once(doors[1] ?? anna, 'connection');
    const both = doors.map((door) => once(door, 'connection'));
    anna.remember(contacts);
    await Promise.all(both);
    anna.remember(contacts.slice(1));
    await knocked(); // and whatever was on its way to the other
    const before = knocks;
    for (let i = 0; i < 3; i++) await knocked();
    expect(knocks).toBe(before);
    for (const door of doors) door.close();
  });
});

describe('targets', () => {
  test('that do not answer are tried again, with the reason shown', async () => {
    const anna = await startMesh('anna');
    const ben = await startMesh('ben');
    const { port } = ben;
    const target = addressOf(ben);
    await ben.stop();
    const warned = once(anna, 'warning');
    anna.connect([target]);
    expect((await warned)[0]).toMatchObject({ code: 'connect-failed' });
    expect(anna.targets()).toMatchObject([{ target, lastError: { code: 'connect-failed' } }]);
    const again = await startMesh('ben', { port });
    await fullyLinked(anna, again);
  });

  test('are replaced and forgotten, and the list is told', async () => {
    const anna = await startMesh('anna');
    const lists: (readonly string[])[] = [];
    anna.on('targets', (targets) => lists.push(targets));
    anna.connect(['127.0.0.1:1', 'localhost:2']);
    anna.connect(['127.0.0.1:3'], { replace: true });
    expect(anna.forget(['127.0.0.1:3', '127.0.0.1:4'])).toEqual(['127.0.0.1:4']);
    expect(lists).toEqual([['127.0.0.1:1', 'localhost:2'], ['127.0.0.1:3'], []]);
    expect(() => anna.connect(['not a host'])).toThrow('not an address');
  });
});

test('a port that is taken is reported as such', async () => {
  const ben = await startMesh('ben');
  await expect(startMesh('anna', { port: ben.port })).rejects.toMatchObject({ code: 'port-in-use' });
});

describe('a connection that is expected', () => {
  test('is given to who expects it, without its opening, and nothing is read from it', async () => {
    const mesh = await startMesh('anna');
    const opening = randomBytes(24);
    const expected = mesh.expectConnection(opening, 5_000);
    const client = connect(mesh.port, '127.0.0.1');
    client.write(opening);
    const server = await expected;
    expect(server.isPaused()).toBe(true);
    expect(server.read()).toBeNull();
    server.write('hello');
    const [answer] = await once(client, 'data');
    expect(String(answer)).toBe('hello');
    server.destroy();
    await once(client, 'close');
  });

  test('keeps no others from linking meanwhile', async () => {
    const [anna, ben] = [await startMesh('anna'), await startMesh('ben')];
    const expected = anna.expectConnection(randomBytes(24), 500);
    const late = expect(expected).rejects.toMatchObject({ code: 'not-connected' });
    ben.connect([addressOf(anna)]);
    await fullyLinked(anna, ben);
    await late;
  });
});
