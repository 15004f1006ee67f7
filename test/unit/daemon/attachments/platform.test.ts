/** Interfaces that a platform asks for: noted, made, moved by it, and followed once their container is known. */
import { describe, expect, it } from 'vitest';
import type { Attachments } from '../../../../src/daemon/attachments/index.js';
import { WeftError } from '../../../../src/errors.js';
import { aWorldForEachTest } from './world.js';

const world = aWorldForEachTest();

const ID = 'e1'.repeat(32);
const request = (id = ID, address = '10.32.0.7/12') => ({ id, network: 'default', addresses: [address] });
const container = (id: string, aliases: string[] = [], pid = 11) => ({
  id,
  pid,
  engine: '/engine',
  name: id,
  hostname: null,
  aliases,
  labels: {},
});

const OFF_BRIDGE = {
  ...{ isUp: true, mtu: 1418, mac: '', master: undefined },
  ...{ isIsolated: false, isHairpin: false, isRunning: true },
};

/** An endpoint whose interface the platform moved into a container that runs. */
async function running(attachments: Attachments, name = 'web', inode = 11, id = ID) {
  const endpoints = attachments.ofPlatform('docker');
  const { mac } = await endpoints.create(request(id));
  const { interface: loose } = await endpoints.plug(id);
  world().kernel.move(loose, inode, mac, 'ethweft0');
  world().platform.runs(name, inode);
  await endpoints.bind(id, container(name, ['shop'], inode));
  return { endpoints, mac };
}

const told = (attachments: Attachments) =>
  attachments.endpoints().map(({ mac, addresses, containers }) => ({
    mac,
    addresses,
    names: containers.map(({ name, aliases }) => [name, ...aliases]),
  }));

describe('an endpoint of a platform', () => {
  it('has a MAC that follows from its address, so that whoever has that next has it, too', async () => {
    const endpoints = world().start().ofPlatform('docker');
    const { mac } = await endpoints.create(request());
    await endpoints.remove(ID);
    const next = await endpoints.create(request('e2'));
    const other = await endpoints.create(request('e3', '10.32.0.8/12'));
    expect(next.mac).toBe(mac);
    expect(other.mac).not.toBe(mac);
  });

  it('is no fault of somebody else while its interface is half made, before and after the look at the host', async () => {
    const kernel = world().kernel;
    let make = () => {};
    const made = new Promise<void>((resolve) => {
      make = resolve;
    });
    const ensureLoosePair: typeof kernel.ensureLoosePair = (pair) =>
      made.then(() => kernel.ensureLoosePair(pair));
    const attachments = world().start({ host: Object.assign(Object.create(kernel), { ensureLoosePair }) });
    const endpoints = attachments.ofPlatform('docker');
    await endpoints.create(request());
    const flaws = (calm: ReturnType<Attachments['calm']>) =>
      attachments.faults({ names: new Set(), of: () => OFF_BRIDGE }, calm).map(({ what }) => what);
    const before = attachments.calm();
    const plugged = endpoints.plug(ID);
    await expect.poll(() => endpoints.list().some(({ present }) => present)).toBe(true);
    expect([flaws(before), flaws(attachments.calm())]).toEqual([[], []]);
    make();
    await plugged;
    expect(flaws(before)).toEqual([]);
    expect(flaws(attachments.calm())).toEqual([expect.stringContaining('is not on the bridge')]);
  });

  it('may be asked for again, which changes nothing', async () => {
    const endpoints = world().start().ofPlatform('docker');
    const asked = { ...request(), mac: '02:00:00:00:00:05' };
    const first = await endpoints.create(asked);
    expect(await endpoints.create(asked)).toEqual(first);
    expect(await endpoints.create(request())).toEqual(first);
    expect(endpoints.list()).toEqual([{ ...asked, container: null, present: false }]);
  });

  it.each([
    ['an address of another endpoint', request('e2'), 'address-used'],
    ['an address of a container on another host', request('e2', '10.32.0.9/12'), 'address-used'],
    ['a MAC of another endpoint', { ...request('e2', '10.32.0.8/12'), mac: '02:00:00:00:00:05' }, 'mac-used'],
    [
      'a MAC of a container on another host',
      { ...request('e2', '10.32.0.8/12'), mac: '02:00:00:00:00:09' },
      'mac-used',
    ],
    ['the address of its subnet', request('e2', '10.32.0.0/12'), 'bad-cidr'],
    [
      'the address of a group as its MAC',
      { ...request('e2', '10.32.0.8/12'), mac: '01:00:00:00:00:09' },
      'bad-mac',
    ],
  ])('is refused %s, and nothing is noted', async (_what, wanted, code) => {
    const endpoints = world()
      .start({
        addressHolder: (_network, address) => (address === '10.32.0.9' ? 'a container on b' : undefined),
        macHolder: (_network, mac) => (mac === '02:00:00:00:00:09' ? 'a container on b' : undefined),
      })
      .ofPlatform('docker');
    const first = await endpoints.create({ ...request(), mac: '02:00:00:00:00:05' });
    await expect(endpoints.create(wanted)).rejects.toMatchObject({ code });
    expect(endpoints.list()).toEqual([first]);
  });

  it('is refused an address that another asks for at the same time', async () => {
    const endpoints = world().start().ofPlatform('docker');
    const asked = await Promise.allSettled(['e1', 'e2', 'e3'].map((id) => endpoints.create(request(id))));
    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(endpoints.list()).toHaveLength(1);
  });

  it('may have what a container elsewhere has just given up, which is still announced', async () => {
    let asked = 0;
    const addressHolder = () => (asked++ < 3 ? 'a container on b' : undefined);
    const endpoints = world().start({ addressHolder }).ofPlatform('docker');
    await endpoints.create(request());
    expect(endpoints.list()).toHaveLength(1);
  });

  it('that the disk does not take is not noted', async () => {
    const attachments = world().start({
      file: {
        read: async () => ({ bootId: '', attachments: [] }),
        write: async () => {
          throw new WeftError('disk-full', 'the disk is full');
        },
      } as never,
    });
    const endpoints = attachments.ofPlatform('docker');
    await expect(endpoints.create(request())).rejects.toMatchObject({ code: 'disk-full' });
    expect(endpoints.list()).toEqual([]);
  });

  it('keeps its address from whoever is attached', async () => {
    const attachments = world().start();
    await attachments.ofPlatform('docker').create(request());
    world().platform.runs('web', 11);
    const attaching = attachments.attach({ target: 'web', addresses: ['10.32.0.7/12'] });
    await expect(attaching).rejects.toMatchObject({ code: 'address-used' });
  });

  it('is told of when its interface is made, guarded, before the platform has it', async () => {
    let guard: () => void = () => {};
    const guarded = new Promise<void>((resolve) => {
      guard = resolve;
    });
    const attachments = world().start({ custody: { ...world().custody, settle: () => guarded } });
    const endpoints = attachments.ofPlatform('docker');
    const { mac, addresses } = await endpoints.create(request());
    expect(told(attachments)).toEqual([]);
    let isPlugged = false;
    const plugging = endpoints.plug(ID).then(() => {
      isPlugged = true;
    });
    await expect.poll(() => told(attachments)).toEqual([{ mac, addresses, names: [[null]] }]);
    expect(isPlugged).toBe(false);
    guard();
    await plugging;
    expect(world().kept.get(mac)).toMatchObject({ addresses: ['10.32.0.7'] });
  });

  it('is nobody’s again when its interface cannot be made', async () => {
    const attachments = world().start();
    const endpoints = attachments.ofPlatform('docker');
    const { mac } = await endpoints.create(request());
    world().kernel.failure = new WeftError('command-failed', 'no');
    await expect(endpoints.plug(ID)).rejects.toMatchObject({ code: 'command-failed' });
    expect(told(attachments)).toEqual([]);
    expect(world().kept.has(mac)).toBe(false);
    await endpoints.plug(ID);
    expect(told(attachments)).toHaveLength(1);
  });

  it('that nobody asked for cannot be made, and may be taken away', async () => {
    const endpoints = world().start().ofPlatform('docker');
    await expect(endpoints.plug(ID)).rejects.toMatchObject({ code: 'no-such-endpoint' });
    await endpoints.bind(ID, container('web'));
    await endpoints.remove(ID);
  });

  it('is its platform’s alone', async () => {
    const attachments = world().start();
    await attachments.ofPlatform('docker').create(request());
    await attachments.ofPlatform('podman').remove(ID);
    expect(attachments.ofPlatform('podman').list()).toEqual([]);
    expect(attachments.ofPlatform('docker').list()).toHaveLength(1);
  });

  it('is not looked for among containers while nobody says in which it is', async () => {
    const attachments = world().start();
    const endpoints = attachments.ofPlatform('docker');
    await endpoints.create(request());
    await attachments.check(new Set());
    await endpoints.plug(ID);
    await attachments.check(new Set(world().kernel.ends.keys()));
    expect(told(attachments)).toHaveLength(1);
    world().kernel.ends.clear();
    await attachments.check(new Set());
    expect(told(attachments)).toEqual([]);
    expect(endpoints.list()).toHaveLength(1);
  });

  it('is back on a bridge that was made anew', async () => {
    const attachments = world().start();
    const endpoints = attachments.ofPlatform('docker');
    await endpoints.create(request());
    await endpoints.plug(ID);
    const [[port, end] = []] = world().kernel.ends;
    if (port === undefined || end === undefined) throw new Error('it has no interface');
    world().kernel.ends.set(port, { ...end, bridge: undefined });
    (world().networks as unknown as { emit(event: string, name: string): void }).emit('moved', 'default');
    await attachments.settled();
    expect(world().kernel.ends.get(port)).toMatchObject({ bridge: 'weft' });
  });
});

describe('a container that a platform started', () => {
  it('is found by its name and its aliases, of which there are 64 at most', async () => {
    const attachments = world().start();
    const { endpoints, mac } = await running(attachments);
    expect(told(attachments)).toMatchObject([{ mac, names: [['web', 'shop']] }]);
    expect(attachments.list()).toMatchObject([{ target: 'web', interface: 'ethweft0', present: true }]);
    expect(endpoints.list()).toMatchObject([{ id: ID, container: 'web' }]);
    await endpoints.bind(
      ID,
      container(
        'web',
        Array.from({ length: 100 }, (_, i) => `a${i}`),
      ),
    );
    expect(attachments.endpoints()[0]?.containers[0].aliases).toHaveLength(64);
  });

  it('has the labels that the platform tells, until it is in no container any more', async () => {
    const attachments = world().start();
    const { endpoints } = await running(attachments);
    await endpoints.bind(ID, { ...container('web', ['shop']), labels: { app: 'shop' } });
    expect(attachments.list()).toMatchObject([{ labels: { app: 'shop' } }]);
    const again = world().start();
    await again.restore();
    expect(again.endpoints()[0]?.containers).toMatchObject([{ labels: { app: 'shop' } }]);
    await endpoints.unplug(ID);
    expect(attachments.list()).toMatchObject([{ labels: {} }]);
  });

  it('is told of once, however often the platform says which it is', async () => {
    const attachments = world().start();
    const { endpoints } = await running(attachments);
    let count = 0;
    attachments.on('attached', () => {
      count += 1;
    });
    await endpoints.bind(ID, container('web', ['shop']));
    expect(count).toBe(0);
  });

  it('is not the one whose interface still waits', async () => {
    const attachments = world().start();
    const endpoints = attachments.ofPlatform('docker');
    await endpoints.create(request());
    await endpoints.plug(ID);
    world().platform.runs('web', 11);
    await endpoints.bind(ID, container('web'));
    expect(endpoints.list()).toMatchObject([{ container: null }]);
  });

  it('gets its interface back when that is lost', async () => {
    const attachments = world().start();
    const { mac } = await running(attachments);
    world().kernel.ends.clear();
    world().kernel.moved.clear();
    await attachments.check(new Set());
    expect([...world().kernel.ends.values()]).toMatchObject([{ mac, addresses: ['10.32.0.7/12'] }]);
    expect(world().kernel.moved.get(`11 ${mac}`)).toBe('ethweft0');
  });

  it('gets it back when it was lost before anybody said which container it is', async () => {
    const attachments = world().start();
    const endpoints = attachments.ofPlatform('docker');
    const { mac } = await endpoints.create(request());
    world().platform.runs('web', 11);
    await endpoints.bind(ID, container('web'));
    expect([...world().kernel.ends.values()]).toMatchObject([{ mac, addresses: ['10.32.0.7/12'] }]);
  });

  it('gets no former interface when it starts again, for which the platform makes another', async () => {
    const attachments = world().start();
    const { endpoints } = await running(attachments);
    world().kernel.ends.clear();
    world().kernel.moved.clear();
    world().platform.runs('web', 12);
    await attachments.check(new Set());
    expect(world().kernel.ends.size).toBe(0);
    expect(told(attachments)).toEqual([]);
    const { mac } = await endpoints.create(request('e2', '10.32.0.8/12'));
    const { interface: loose } = await endpoints.plug('e2');
    world().kernel.move(loose, 12, mac, 'ethweft0');
    await endpoints.bind('e2', container('web', [], 12));
    expect(told(attachments)).toMatchObject([{ mac, names: [['web']] }]);
    expect(endpoints.list()).toMatchObject([{ id: 'e2' }]);
  });

  it('is taken away though its engine does not answer', async () => {
    const attachments = world().start();
    const { endpoints } = await running(attachments);
    world().kernel.ends.clear();
    await new Promise<void>((asked) => {
      world().platform.again = () => {
        asked();
        return new Promise(() => {});
      };
      void attachments.check(new Set());
    });
    await endpoints.remove(ID);
    expect(endpoints.list()).toEqual([]);
  });

  it('is in no container any more when it is unplugged, and may be plugged again', async () => {
    const attachments = world().start();
    const { endpoints, mac } = await running(attachments);
    await endpoints.unplug(ID);
    expect(world().kernel.ends.size).toBe(0);
    expect(told(attachments)).toEqual([]);
    expect(endpoints.list()).toMatchObject([{ id: ID, mac, container: null }]);
    await endpoints.plug(ID);
    expect(told(attachments)).toMatchObject([{ mac }]);
    await endpoints.unplug('e2');
  });

  it('has multicast and names through the interface that it is told', async () => {
    const { endpoints } = await running(world().start());
    await endpoints.route(ID);
    await endpoints.route('e2');
    expect(world().kernel.routed).toEqual(['11 ethweft0']);
  });

  it('is taken off the network by its platform only', async () => {
    const attachments = world().start();
    const { endpoints } = await running(attachments);
    const refusal = { code: 'of-platform', message: expect.stringContaining('from docker') };
    await expect(attachments.detach({ target: 'web' })).rejects.toMatchObject(refusal);
    const both = { target: 'web', interface: 'ethweft0' };
    await expect(attachments.detach(both)).rejects.toMatchObject(refusal);
    await expect(attachments.attach({ ...both, addresses: ['10.32.0.9/12'] })).rejects.toMatchObject(refusal);
    await endpoints.remove(ID);
    await endpoints.remove(ID);
    expect(attachments.list()).toEqual([]);
    expect(attachments.endpoints()).toEqual([]);
    expect(world().kernel.ends.size).toBe(0);
  });

  it('may be attached besides', async () => {
    const attachments = world().start();
    const { endpoints } = await running(attachments);
    await attachments.attach({ target: 'web', addresses: ['10.32.0.9/12'] });
    await endpoints.remove(ID);
    expect(attachments.list()).toMatchObject([{ interface: 'ethweft', present: true }]);
  });

  it('leaves its address to the platform when it is removed', async () => {
    const attachments = world().start();
    await running(attachments);
    world().pool.taken.set('10.32.0.7/12', 'docker containers');
    world().platform.removed('web');
    world().platform.emit('removed', 'web');
    await expect.poll(() => attachments.list()).toEqual([]);
    expect(world().pool.taken.get('10.32.0.7/12')).toBe('docker containers');
  });
});

describe('a router that starts again', () => {
  it('has the endpoints that it had, bound and loose, as they were', async () => {
    const before = world().start();
    const { endpoints } = await running(before);
    await endpoints.create(request('e2', '10.32.0.8/12'));
    await endpoints.plug('e2');
    await endpoints.create(request('e3', '10.32.0.9/12'));
    const sorted = (list: readonly object[]) => list.map((one) => JSON.stringify(one)).sort();
    const [listed, known] = [endpoints.list(), told(before)].map(sorted);
    const again = world().start();
    expect(await again.restore()).toEqual([]);
    expect(sorted(again.ofPlatform('docker').list())).toEqual(listed);
    expect(sorted(told(again))).toEqual(known);
    expect(world().kernel.ends.size).toBe(2);
  });

  it('gives a container its interface back that runs on, and a loose one when it is asked for', async () => {
    const before = world().start();
    const { endpoints, mac } = await running(before);
    await endpoints.create(request('e2', '10.32.0.8/12'));
    await endpoints.plug('e2');
    world().kernel.ends.clear();
    world().kernel.moved.clear();
    world().kernel.waiting.clear();
    const again = world().start();
    await again.restore();
    expect(told(again)).toMatchObject([{ mac, names: [['web', 'shop']] }]);
    await again.ofPlatform('docker').plug('e2');
    expect(told(again)).toHaveLength(2);
  });

  it('claims the addresses of its endpoints for their platform', async () => {
    const before = world().start();
    await running(before);
    await world().start().reclaim();
    expect(world().pool.taken.get('10.32.0.7/12')).toBe('docker containers');
  });

  it('forgets the container that was removed meanwhile, and leaves its address to the platform', async () => {
    await running(world().start());
    world().pool.taken.set('10.32.0.7/12', 'docker containers');
    world().platform.removed('web');
    const again = world().start();
    expect(await again.restore()).toMatchObject([{ target: 'web' }]);
    expect(again.list()).toEqual([]);
    expect(world().pool.taken.size).toBe(1);
  });

  it('knows of another boot that no interface is left', async () => {
    await running(world().start());
    world().kernel.boot = 'second boot';
    world().kernel.ends.clear();
    world().kernel.moved.clear();
    world().platform.runs('web', 11);
    const again = world().start();
    await again.restore();
    expect(told(again)).toEqual([]);
    expect(world().kernel.ends.size).toBe(0);
  });
});

describe('an interface that is made where it is to be', () => {
  const place = (container = 'c1', inode = 11) => ({
    container,
    namespace: `${inode}`,
    interface: 'eth0',
    name: 'web',
    aliases: ['shop'],
    labels: {},
    routes: [],
  });

  it('is in its container with its addresses, told of and found by its names', async () => {
    const attachments = world().start();
    const endpoints = attachments.ofPlatform('cni');
    const { port, mac } = await endpoints.attach(request(), place());
    expect(world().kernel.ends.get(port)).toMatchObject({ mac, addresses: ['10.32.0.7/12'] });
    expect(told(attachments)).toEqual([{ mac, addresses: ['10.32.0.7/12'], names: [['web', 'shop']] }]);
    expect(endpoints.list()).toMatchObject([{ id: ID, container: 'c1', present: true }]);
    expect(attachments.list()).toMatchObject([{ id: 'c1', interface: 'eth0', present: true }]);
    expect(await endpoints.flaws(ID)).toEqual([]);
  });

  it('leaves nothing when it cannot be made or noted', async () => {
    const attachments = world().start();
    const endpoints = attachments.ofPlatform('cni');
    world().kernel.failure = new WeftError('interface-taken', 'no');
    await expect(endpoints.attach(request(), place())).rejects.toMatchObject({ code: 'interface-taken' });
    expect([endpoints.list(), told(attachments)]).toEqual([[], []]);
    const full = world().start({
      file: {
        read: async () => ({ bootId: '', attachments: [] }),
        write: async () => {
          throw new WeftError('disk-full', 'the disk is full');
        },
      } as never,
    });
    await expect(full.ofPlatform('cni').attach(request(), place())).rejects.toMatchObject({
      code: 'disk-full',
    });
    expect([full.ofPlatform('cni').list(), world().kernel.ends.size]).toEqual([[], 0]);
  });

  it('is in the way of another of that name, until its namespace has ended', async () => {
    const endpoints = world().start().ofPlatform('cni');
    await endpoints.attach(request(), place());
    const other = request('e2', '10.32.0.8/12');
    await expect(endpoints.attach(other, place())).rejects.toMatchObject({ code: 'interface-taken' });
    await endpoints.attach(other, place('c1', 12));
    expect(endpoints.list()).toMatchObject([{ id: 'e2' }]);
    expect(world().kernel.ends.size).toBe(1);
  });

  it('is put back with its names and routes while the namespace is there', async () => {
    const before = world().start();
    const routes = [{ destination: '0.0.0.0/0', gateway: '10.32.0.1' }];
    const { mac } = await before.ofPlatform('cni').attach(request(), { ...place(), routes });
    world().kernel.ends.clear();
    world().platform.runs('c1', 11, { engine: null });
    const attachments = world().start();
    await attachments.restore();
    expect(told(attachments)).toEqual([{ mac, addresses: ['10.32.0.7/12'], names: [['web', 'shop']] }]);
    expect(await attachments.ofPlatform('cni').flaws(ID)).toEqual(['there is no route to 0.0.0.0/0']);
  });

  it('is forgotten once another namespace has the name of its own', async () => {
    const attachments = world().start();
    const endpoints = attachments.ofPlatform('cni');
    await endpoints.attach(request(), { ...place(), namespace: '11' });
    world().kernel.ends.clear();
    world().platform.runs('c1', 12, { engine: null });
    await attachments.check(new Set());
    expect(endpoints.list()).toEqual([]);
  });

  it('tells what somebody did to it', async () => {
    const endpoints = world().start().ofPlatform('cni');
    const { port } = await endpoints.attach(request(), place());
    const end = world().kernel.ends.get(port);
    if (end === undefined) throw new Error('it has no interface');
    world().kernel.ends.set(port, { ...end, mtu: 9_000, addresses: [] });
    expect(await endpoints.flaws(ID)).toEqual([
      'the interface eth0 has the MTU 9000, not 1418',
      'the interface eth0 does not have the address 10.32.0.7/12',
    ]);
    world().kernel.ends.clear();
    expect(await endpoints.flaws(ID)).toEqual(['the interface eth0 is gone']);
    await expect(endpoints.flaws('e9')).rejects.toMatchObject({ code: 'no-such-endpoint' });
  });
});
