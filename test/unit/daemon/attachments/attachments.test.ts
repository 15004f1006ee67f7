import { describe, expect, it } from 'vitest';
import type { AttachedEndpoint, Attachments } from '../../../../src/daemon/attachments/index.js';
import { ContainerEvents } from '../../../../src/daemon/happenings/containers.js';
import { WeftError } from '../../../../src/errors.js';
import { Journal } from '../../../../src/events/index.js';
import { ManualClock } from '../../events/manual-clock.js';
import { aWorldForEachTest } from './world.js';

const world = aWorldForEachTest();

const request = (target: string, ...addresses: string[]) => ({ target, addresses });

describe('a router that starts again', () => {
  it('leaves an interface alone that is as it was', async () => {
    world().platform.runs('web', 11);
    const { addresses } = await world().start().attach(request('web'));
    const [port] = world().kernel.ends.values();
    const again = world().start();
    expect(await again.restore()).toEqual([]);
    expect(again.list()).toMatchObject([{ target: 'web', addresses, present: true }]);
    expect([...world().kernel.ends.values()]).toEqual([port]);
  });

  it('makes an interface again that is gone, with the MAC and the addresses that it had', async () => {
    world().platform.runs('web', 11);
    const { mac, addresses } = await world().start().attach(request('web'));
    world().kernel.ends.clear();
    const again = world().start();
    await again.restore();
    expect(again.list()).toMatchObject([{ mac, addresses, present: true }]);
    expect([...world().kernel.ends.values()]).toMatchObject([{ mac, addresses }]);
  });

  it('keeps the addresses of a container that is stopped, and attaches it when it runs', async () => {
    world().platform.runs('web', 11);
    const { addresses } = await world().start().attach(request('web'));
    world().platform.stopped('web');
    world().kernel.ends.clear();
    const again = world().start();
    expect(await again.restore()).toEqual([]);
    expect(again.list()).toMatchObject([{ addresses, present: false }]);
    expect([...world().pool.taken.keys()]).toEqual(addresses);
    world().platform.runs('web', 12);
    const attached = new Promise((resolve) => again.once('attached', resolve));
    world().platform.emit('changed', 'web');
    await attached;
    expect(world().kernel.addressesIn(12)).toEqual(addresses);
  });

  it('tells which containers are gone, and frees their addresses', async () => {
    world().platform.runs('web', 11);
    await world().start().attach(request('web'));
    world().platform.removed('web');
    const again = world().start();
    expect(await again.restore()).toMatchObject([{ target: 'web' }]);
    expect(again.list()).toEqual([]);
    expect(world().pool.taken.size).toBe(0);
  });

  it('takes no process of this boot for one of the boot before that had its id', async () => {
    world().platform.runs('4711', 11, { engine: null });
    await world().start().attach(request('4711'));
    world().kernel.boot = 'second boot';
    world().kernel.ends.clear();
    const again = world().start();
    expect(await again.restore()).toMatchObject([{ target: '4711' }]);
    expect(world().kernel.ends.size).toBe(0);
  });

  it('removes an interface that it was making when it was killed', async () => {
    world().kernel.ends.set('wv000000000000', {
      bridge: 'weft',
      mtu: 1418,
      isIsolated: false,
      mac: '02:00:00:00:00:99',
      addresses: [],
    });
    await world().start().restore();
    expect(world().kernel.ends.size).toBe(0);
  });
});

describe('a container that is attached', () => {
  it('is heard only once its port is guarded', async () => {
    world().platform.runs('web', 11);
    let guard: () => void = () => {};
    const guarded = new Promise<void>((resolve) => {
      guard = resolve;
    });
    const attachments = world().start({ custody: { ...world().custody, settle: () => guarded } });
    const attaching = attachments.attach(request('web', '10.32.0.7/12'));
    let isHeard = false;
    void attaching.then(() => {
      isHeard = true;
    });
    await new Promise<void>((resolve) => attachments.once('attached', () => resolve()));
    expect(isHeard).toBe(false);
    guard();
    const { mac } = await attaching;
    expect(world().kept.get(mac ?? '')).toMatchObject({ addresses: ['10.32.0.7'] });
  });

  it('has to itself what does not float', async () => {
    world().platform.runs('web', 11);
    const attachments = world().start();
    const { mac } = await attachments.attach({ ...request('web', '10.32.0.7/12'), floating: true });
    expect(world().kept.get(mac ?? '')).toMatchObject({ addresses: [] });
  });
});

describe('a container whose namespace has the number of one that ended', () => {
  it('has nothing of what was attached there', async () => {
    world().platform.runs('former', 11);
    const attachments = world().start();
    await attachments.attach(request('former', '10.32.0.7/12'));
    world().kernel.ends.clear();
    world().platform.runs('new', 11);
    await attachments.attach(request('new', '10.32.0.8/12'));
    expect(attachments.list()).toMatchObject([
      { target: 'former', addresses: ['10.32.0.7/12'], present: false, sharedWith: [] },
      { target: 'new', addresses: ['10.32.0.8/12'], present: true, sharedWith: [] },
    ]);
    expect(world().kernel.addressesIn(11)).toEqual(['10.32.0.8/12']);
  });
});

describe('an attachment that fails', () => {
  it('leaves nothing: no entry, no address, no interface', async () => {
    world().platform.runs('web', 11);
    const attachments = world().start();
    world().kernel.failure = new WeftError('interface-taken', 'somebody has that name');
    await expect(attachments.attach(request('web'))).rejects.toMatchObject({ code: 'interface-taken' });
    expect(attachments.list()).toEqual([]);
    expect(attachments.endpoints()).toEqual([]);
    expect(world().pool.taken.size).toBe(0);
    expect(world().kernel.ends.size).toBe(0);
    expect(world().kept.size).toBe(0);
  });

  it('is taken back when the disk is full, and what the container had stays', async () => {
    world().platform.runs('web', 11);
    let isFull = false;
    const { attachments: file } = (await import('../../../../src/daemon/state/index.js')).stateFiles(
      world().directory,
    );
    const write = file.write.bind(file);
    file.write = (content) =>
      isFull ? Promise.reject(new WeftError('disk-full', 'no space is left')) : write(content);
    const attachments = world().start({ file });
    await attachments.attach(request('web', '10.32.0.7/12'));
    isFull = true;
    await expect(attachments.attach(request('web', '10.32.0.8/12'))).rejects.toMatchObject({
      code: 'disk-full',
    });
    expect(attachments.list()).toMatchObject([{ addresses: ['10.32.0.7/12'], present: true }]);
    expect(world().kernel.addressesIn(11)).toEqual(['10.32.0.7/12']);
    expect([...world().pool.taken.keys()]).toEqual(['10.32.0.7/12']);
  });

  it('does not take the MAC of another', async () => {
    world().platform.runs('web', 11);
    const attachments = world().start({ macHolder: () => 'db' });
    await expect(attachments.attach(request('web'))).rejects.toMatchObject({ code: 'mac-used' });
    expect(attachments.list()).toEqual([]);
    expect(world().pool.taken.size).toBe(0);
  });
});

describe('an address that somebody has', () => {
  it('is refused while its container is there', async () => {
    world().platform.runs('web', 11);
    world().platform.runs('db', 12);
    const attachments = world().start();
    await attachments.attach(request('web', '10.32.0.7/12'));
    world().platform.stopped('web');
    await expect(attachments.attach(request('db', '10.32.0.7/12'))).rejects.toMatchObject({
      code: 'address-used',
    });
    expect(attachments.list()).toMatchObject([{ target: 'web', addresses: ['10.32.0.7/12'] }]);
  });

  it('goes to who asks for it once its container is gone', async () => {
    world().platform.runs('web', 11);
    world().platform.runs('db', 12);
    const attachments = world().start();
    await attachments.attach(request('web', '10.32.0.7/12'));
    world().platform.removed('web');
    await attachments.attach(request('db', '10.32.0.7/12'));
    expect(attachments.list()).toMatchObject([{ target: 'db', addresses: ['10.32.0.7/12'] }]);
    expect(world().kernel.addressesIn(11)).toBeUndefined();
  });
});

describe('a container that comes back in another namespace', () => {
  it('takes its addresses along, and leaves none in the former one', async () => {
    world().platform.runs('web', 11);
    const attachments = world().start();
    const { mac, addresses } = await attachments.attach(request('web'));
    world().platform.runs('web', 12);
    const attached = new Promise((resolve) => attachments.once('attached', resolve));
    world().platform.emit('changed', 'web');
    await attached;
    expect(world().kernel.addressesIn(11)).toBeUndefined();
    expect(world().kernel.addressesIn(12)).toEqual(addresses);
    expect(attachments.list()).toMatchObject([{ mac, addresses, present: true }]);
  });
});

describe('containers that share a namespace', () => {
  it('keep the interface when the one that was attached first is removed', async () => {
    world().platform.runs('web', 11);
    world().platform.runs('sidecar', 11);
    const attachments = world().start();
    const { addresses } = await attachments.attach(request('web'));
    await attachments.attach(request('sidecar'));
    world().platform.removed('web');
    const missing = new Promise((resolve) => attachments.once('missing', resolve));
    world().platform.emit('removed', 'web');
    expect(await missing).toBe('web');
    expect(attachments.list()).toMatchObject([{ target: 'sidecar', addresses, present: true }]);
    expect(world().kernel.addressesIn(11)).toEqual(addresses);
  });

  it('have labels of their own', async () => {
    world().platform.runs('web', 11, { labels: { app: 'shop' } });
    world().platform.runs('sidecar', 11, { labels: { role: 'logs' } });
    const attachments = world().start();
    await attachments.attach(request('web'));
    await attachments.attach(request('sidecar'));
    const labels = () =>
      attachments.endpoints().flatMap(({ containers }) => containers.map((each) => each.labels));
    expect(labels()).toEqual([{ app: 'shop' }, { role: 'logs' }]);
    const missing = new Promise((resolve) => attachments.once('missing', resolve));
    await attachments.detach({ target: 'web' });
    expect(await missing).toBe('web');
    expect(labels()).toEqual([{ role: 'logs' }]);
  });
});

describe('the labels of a container', () => {
  const labelsOf = (attachments: Attachments) => attachments.list().map(({ labels }) => labels);

  it('are those that a user gives, besides those of its engine', async () => {
    world().platform.runs('web', 11, { labels: { app: 'shop', tier: 'web' } });
    const attachments = world().start();
    const { labels } = await attachments.attach({ ...request('web'), labels: { app: 'store' } });
    expect(labels).toEqual({ app: 'store', tier: 'web' });
    expect(attachments.endpoints()[0]?.containers).toMatchObject([{ labels }]);
  });

  it('stay when it is attached again without, and others take their place', async () => {
    world().platform.runs('web', 11);
    const attachments = world().start();
    await attachments.attach({ ...request('web'), labels: { app: 'shop' } });
    await attachments.attach(request('web', '10.32.7.7/12'));
    expect(labelsOf(attachments)).toEqual([{ app: 'shop' }]);
    await attachments.attach({ ...request('web', '10.32.7.7/12'), labels: { tier: 'web' } });
    expect(labelsOf(attachments)).toEqual([{ tier: 'web' }]);
    await attachments.attach({ ...request('web', '10.32.7.7/12'), labels: {} });
    expect(labelsOf(attachments)).toEqual([{}]);
  });

  it('stay over restarts of the router and of the container', async () => {
    world().platform.runs('web', 11);
    await world()
      .start()
      .attach({ ...request('web'), labels: { app: 'shop' } });
    world().platform.stopped('web');
    const again = world().start();
    await again.restore();
    expect(labelsOf(again)).toEqual([{ app: 'shop' }]);
    world().platform.runs('web', 12);
    const attached = new Promise<AttachedEndpoint>((resolve) => again.once('attached', resolve));
    world().platform.emit('changed', 'web');
    expect((await attached).containers).toMatchObject([{ labels: { app: 'shop' } }]);
  });

  it('are refused where they are none, and nothing is attached', async () => {
    world().platform.runs('web', 11);
    const attachments = world().start();
    const attaching = attachments.attach({ ...request('web'), labels: { 'a b': '' } });
    await expect(attaching).rejects.toMatchObject({ code: 'bad-label' });
    expect([attachments.list(), world().pool.taken.size]).toEqual([[], 0]);
  });

  it('are in the events of its coming, its change and its going', async () => {
    world().platform.runs('web', 11);
    const attachments = world().start();
    const journal = new Journal({ run: 'run', clock: new ManualClock(), time: Date.now });
    const seen: unknown[] = [];
    journal.on('event', ({ kind, details }) => seen.push([kind, 'labels' in details && details.labels]));
    const names = { nameOf: String };
    new ContainerEvents(journal, names).follow(attachments);
    await attachments.attach({ ...request('web'), labels: { app: 'shop' } });
    await attachments.attach({ ...request('web', '10.32.0.1/12'), labels: { app: 'store' } });
    await attachments.detach({ target: 'web' });
    expect(seen).toEqual([
      ['container-attached', { app: 'shop' }],
      ['container-changed', { app: 'store' }],
      ['container-detached', { app: 'store' }],
    ]);
  });
});
