import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseCidr } from '../../../src/hostnet/index.js';
import { mayMakeNamespaces, TestHost, TestNamespace } from './namespaces.js';

const privileged = mayMakeNamespaces();
if (!privileged)
  console.warn('bridges and attachments are not tested: that needs the right to make network namespaces');

const OWNER = '1122334455667788';
const BRIDGE = { bridge: 'weft', owner: OWNER, mtu: 1418 };

describe.skipIf(!privileged)('the plumbing of a host', () => {
  let host: TestHost;
  let container: TestNamespace;

  beforeAll(async () => {
    host = await TestHost.start();
  });

  afterAll(() => host.remove());

  beforeEach(() => {
    container = new TestNamespace();
  });

  afterEach(() => {
    removeLinks(host);
    container.remove();
  });

  const linkNames = (namespace: TestNamespace) =>
    namespace
      .ip('-brief', 'link')
      .split('\n')
      .flatMap((line) => line.split(/[@\s]/, 1))
      .filter((name) => name !== '');
  /** The kernel takes away those whose other end was in a removed namespace, too, at a time of its own. */
  const removeLinks = (namespace: TestNamespace) => {
    const left = () => linkNames(namespace).filter((name) => name !== 'lo');
    for (const name of left()) {
      try {
        namespace.ip('link', 'delete', name);
      } catch (error) {
        if (left().includes(name)) throw error;
      }
    }
  };
  const addresses = (namespace: TestNamespace) =>
    [...namespace.ip('address', 'show', 'dev', 'ethweft').matchAll(/inet6? (\S+)(?=.*scope global)/g)].map(
      ([, cidr]) => cidr,
    );

  async function attach(target: TestNamespace, cidrs: string[], changes = {}) {
    const namespace = await host.hostnet.resolveNamespace(target.name);
    return await host.hostnet.attach({
      ...BRIDGE,
      port: await host.hostnet.hostEnd('weft', namespace.inode, 'ethweft'),
      namespace,
      interface: 'ethweft',
      cidrs: cidrs.map(parseCidr),
      mac: await host.hostnet.randomMac(),
      multicastRoute: true,
      routes: [],
      ...changes,
    });
  }

  describe('a bridge', () => {
    it('has the MAC of its router, and the same again after a restart', async () => {
      await host.hostnet.ensureBridge(BRIDGE);
      const before = host.ip('link', 'show', 'weft');
      expect(before).toContain('12:22:33:44:55:66');
      await host.hostnet.ensureBridge({ ...BRIDGE, mtu: 1300 });
      expect(host.ip('link', 'show', 'weft')).toContain('mtu 1300');
      expect(host.ip('link', 'show', 'weft').split(':')[0]).toBe(before.split(':')[0]);
    });

    it('takes no router advertisements from containers', async () => {
      await host.hostnet.ensureBridge(BRIDGE);
      expect(host.run('cat', '/proc/sys/net/ipv6/conf/weft/accept_ra').trim()).toBe('0');
    });

    it.each([
      ['an interface of somebody else', ['link', 'add', 'weft', 'type', 'veth', 'peer', 'name', 'other']],
      ['a bridge of somebody else', ['link', 'add', 'weft', 'type', 'bridge']],
    ])('does not take %s, and leaves it alone', async (_what, command) => {
      host.ip(...command);
      await expect(host.hostnet.ensureBridge(BRIDGE)).rejects.toMatchObject({
        code: 'bridge-taken',
        message: expect.stringMatching(/^(?!.*delete).*--bridge/),
      });
      expect(await host.hostnet.removeBridge('weft', OWNER)).toEqual([]);
      expect(linkNames(host)).toContain('weft');
    });

    it('does not take the bridge of another router', async () => {
      await host.hostnet.ensureBridge({ ...BRIDGE, owner: 'ffeeddccbbaa0099' });
      await expect(host.hostnet.ensureBridge(BRIDGE)).rejects.toMatchObject({
        code: 'bridge-taken',
        message: expect.stringMatching(/ffeeddccbbaa0099.*gone for good.*ip link delete weft/),
      });
    });

    it('goes with everything that hangs on it', async () => {
      const before = linkNames(host);
      await host.hostnet.ensureBridge(BRIDGE);
      host.ip('tuntap', 'add', 'weft-tap', 'mode', 'tap');
      await host.hostnet.plugTap(BRIDGE);
      await attach(container, ['10.32.0.1/12']);
      expect(await host.hostnet.removeBridge('weft', OWNER)).toHaveLength(3);
      expect(linkNames(host)).toEqual(before);
      expect(linkNames(container)).toEqual(['lo']);
    });
  });

  describe('an attached container', () => {
    beforeEach(() => host.hostnet.ensureBridge(BRIDGE));

    it('has its addresses, the MTU, and a route for multicast', async () => {
      const attached = await attach(container, ['10.32.0.1/12', 'fd32::1/64']);
      expect(attached).toMatchObject({ interface: 'ethweft', addresses: ['10.32.0.1/12', 'fd32::1/64'] });
      expect(addresses(container)).toEqual(['10.32.0.1/12', 'fd32::1/64']);
      expect(container.ip('link', 'show', 'ethweft')).toContain('mtu 1418');
      expect(container.ip('route')).toContain('224.0.0.0/4 dev ethweft');
    });

    it('can use its link-local address at once', async () => {
      await attach(container, ['10.32.0.1/12']);
      expect(container.ip('-6', 'address', 'show', 'dev', 'ethweft')).toMatch(
        /inet6 fe80::\S+ scope link (nodad )?\s*$/m,
      );
    });

    it('is told that an address which it adds by itself is somebody else’s', async () => {
      const other = new TestNamespace();
      await attach(other, ['fd32::1/64']);
      await attach(container, ['fd32::2/64']);
      container.ip('address', 'add', 'fd32::1/64', 'dev', 'ethweft');
      await expect
        .poll(() => container.ip('-6', 'address', 'show', 'dev', 'ethweft'), { timeout: 5_000 })
        .toMatch(/inet6 fd32::1\/64 .*dadfailed/);
      other.remove();
    });

    it('is left without IPv6 where it has none', async () => {
      container.run('sysctl', '--quiet', '--write', 'net.ipv6.conf.default.disable_ipv6=1');
      await attach(container, ['10.32.0.1/12']);
      expect(container.ip('-6', 'address', 'show', 'dev', 'ethweft')).toBe('');
      await attach(container, ['fd32::1/64']);
      expect(addresses(container)).toEqual(['10.32.0.1/12', 'fd32::1/64']);
    });

    it('has the MAC that it had before, when its interface is made again', async () => {
      const { mac } = await attach(container, ['10.32.0.1/12']);
      container.ip('link', 'delete', 'ethweft');
      expect(await attach(container, ['10.32.0.1/12'], { mac })).toMatchObject({ mac });
    });

    it('sends no superframe that is too large for one send', async () => {
      await attach(container, ['10.32.0.1/12']);
      expect(container.ip('-details', 'link', 'show', 'ethweft')).toMatch(
        /gso_max_size 62392 gso_max_segs 44 /,
      );
    });

    it('reaches the other containers of the host at once', async () => {
      const other = new TestNamespace();
      await attach(container, ['10.32.0.1/12', 'fd32::1/64']);
      await attach(other, ['10.32.0.2/12', 'fd32::2/64']);
      container.run('ping', '-c', '1', '-W', '1', '10.32.0.2');
      container.run('ping', '-c', '1', '-W', '1', 'fd32::2');
      other.remove();
    });

    it('makes its neighbours forget whoever had its address before', async () => {
      const [before, neighbour] = [new TestNamespace(), new TestNamespace()];
      await attach(before, ['10.32.0.1/12']);
      await attach(neighbour, ['10.32.0.2/12']);
      neighbour.run('ping', '-c', '1', '-W', '1', '10.32.0.1');
      before.ip('link', 'delete', 'ethweft');
      const { mac } = await attach(container, ['10.32.0.1/12']);
      await expect.poll(() => neighbour.ip('neighbour', 'show', '10.32.0.1')).toContain(mac);
      before.remove();
      neighbour.remove();
    });

    it('gets more addresses when it is attached again, and keeps its interface', async () => {
      const { mac } = await attach(container, ['10.32.0.1/12']);
      const again = await attach(container, ['10.32.0.1/12', '10.32.0.5/12']);
      expect(again.mac).toBe(mac);
      expect(addresses(container)).toEqual(['10.32.0.1/12', '10.32.0.5/12']);
    });

    it('keeps its other addresses when one is taken away', async () => {
      await attach(container, ['10.32.0.1/12', '10.32.0.5/12']);
      const namespace = await host.hostnet.resolveNamespace(container.name);
      const left = await host.hostnet.removeAddresses(namespace, 'ethweft', [parseCidr('10.32.0.1/12')]);
      expect(left).toEqual(['10.32.0.5/12']);
      expect(addresses(container)).toEqual(['10.32.0.5/12']);
    });

    it('is back on the bridge after the bridge was lost', async () => {
      const { mac } = await attach(container, ['10.32.0.1/12']);
      host.ip('link', 'delete', 'weft');
      await host.hostnet.ensureBridge(BRIDGE);
      expect(await attach(container, ['10.32.0.1/12'])).toMatchObject({ mac });
      expect(host.ip('link', 'show', 'master', 'weft')).toContain('state UP');
    });

    it('has nothing left when it is detached, twice', async () => {
      await attach(container, ['10.32.0.1/12']);
      const { inode } = await host.hostnet.resolveNamespace(container.name);
      const port = await host.hostnet.hostEnd('weft', inode, 'ethweft');
      expect(await host.hostnet.removeLink(port)).toBe(true);
      expect(linkNames(container)).toEqual(['lo']);
      expect(await host.hostnet.removeLink(port)).toBe(false);
    });

    it('does not lose an interface of the same name that is not ours', async () => {
      container.ip('link', 'add', 'ethweft', 'type', 'veth', 'peer', 'name', 'other');
      await expect(attach(container, ['10.32.0.1/12'])).rejects.toMatchObject({ code: 'interface-taken' });
      expect(linkNames(container)).toContain('ethweft');
    });
  });

  describe('an interface that somebody else moves into a container', () => {
    const MAC = '02:aa:bb:cc:dd:01';
    const make = async () => {
      const names = await host.hostnet.loosePair('docker 4711');
      await host.hostnet.ensureLoosePair({ ...BRIDGE, ...names, mac: MAC });
      return names;
    };

    beforeEach(() => host.hostnet.ensureBridge(BRIDGE));

    it('waits down and without addresses, with its MAC, its MTU and the limits of an attached one', async () => {
      const { port, loose } = await make();
      const waiting = host.ip('-details', 'link', 'show', loose);
      expect(waiting).toContain(MAC);
      expect(waiting).toContain('mtu 1418');
      expect(waiting).toContain('state DOWN');
      expect(waiting).toMatch(/gso_max_size 62392 gso_max_segs 44 /);
      expect(host.ip('address', 'show', loose)).not.toContain('inet');
      expect(host.ip('link', 'show', 'master', 'weft')).toContain(port);
    });

    it('is the same one while it waits, and another one once it was moved', async () => {
      const { loose } = await make();
      const before = host.ip('link', 'show', loose).split(':')[0];
      host.ip('link', 'set', loose, 'up');
      await make();
      expect(host.ip('link', 'show', loose).split(':')[0]).toBe(before);
      expect(host.ip('link', 'show', loose)).toContain('state DOWN');
      host.ip('link', 'set', loose, 'netns', container.name);
      await make();
      expect(linkNames(host)).toContain(loose);
      expect(linkNames(container)).toEqual(['lo']);
    });

    it('connects the container that it was moved into, and is found there by its MAC', async () => {
      const { loose } = await make();
      const other = new TestNamespace();
      await attach(other, ['10.32.0.2/12']);
      const namespace = await host.hostnet.resolveNamespace(container.name);
      expect(await host.hostnet.interfaceWithMac(namespace, MAC)).toBeUndefined();
      host.ip('link', 'set', loose, 'netns', container.name, 'name', 'ethweft0');
      container.ip('link', 'add', 'bridge', 'address', MAC, 'type', 'bridge');
      container.ip('address', 'add', '10.32.0.1/12', 'dev', 'ethweft0');
      container.ip('link', 'set', 'ethweft0', 'up');
      expect(await host.hostnet.interfaceWithMac(namespace, MAC)).toBe('ethweft0');
      await expect.poll(() => other.run('ping', '-c', '1', '-W', '1', '10.32.0.1')).toContain('1 received');
      other.remove();
    });

    it('goes with its host’s end, also out of a container', async () => {
      const { port, loose } = await make();
      host.ip('link', 'set', loose, 'netns', container.name);
      expect(await host.hostnet.removeLink(port)).toBe(true);
      expect(linkNames(container)).toEqual(['lo']);
    });

    it('goes with the bridge', async () => {
      const { port, loose } = await make();
      await host.hostnet.removeBridge('weft', OWNER);
      expect(linkNames(host)).not.toContain(port);
      expect(linkNames(host)).not.toContain(loose);
    });
  });

  describe('a namespace', () => {
    it.each([
      ['nowhere', 'no-such-namespace'],
      ['999999999', 'no-such-namespace'],
      ['/etc/hostname', 'not-a-namespace'],
      ['/run/netns/../../etc', 'not-a-namespace'],
      ['a b', 'no-such-namespace'],
      ['self', 'no-such-namespace'],
    ])('"%s" is refused with %s', async (target, code) => {
      await expect(host.hostnet.resolveNamespace(target)).rejects.toMatchObject({ code });
    });

    it('that is the host itself is refused', async () => {
      await expect(host.hostnet.resolveNamespace(host.name)).rejects.toMatchObject({ code: 'own-namespace' });
    });

    it('is found by name and by path, and is the same', async () => {
      const byName = await host.hostnet.resolveNamespace(container.name);
      const byPath = await host.hostnet.resolveNamespace(`/run/netns/${container.name}`);
      expect(byPath.inode).toBe(byName.inode);
    });
  });

  describe('the way to other hosts', () => {
    beforeEach(() => {
      host.ip('link', 'add', 'wide', 'mtu', '9000', 'type', 'veth', 'peer', 'name', 'far1');
      host.ip('link', 'add', 'narrow', 'mtu', '1400', 'type', 'veth', 'peer', 'name', 'far2');
      for (const [name, address, far] of [
        ['wide', '10.1.0.1/24', 'far1'],
        ['narrow', '10.2.0.1/24', 'far2'],
      ] as const) {
        host.ip('link', 'set', far, 'up');
        host.ip('address', 'add', address, 'dev', name);
        host.ip('link', 'set', name, 'up');
      }
    });

    it('decides the MTU: that to the peers, else the default route, else all', async () => {
      expect(await host.hostnet.chooseMtu(['10.1.0.9'])).toBe(8918);
      expect(await host.hostnet.chooseMtu(['10.1.0.9', '10.2.0.9'])).toBe(1318);
      expect(await host.hostnet.chooseMtu([])).toBe(1318);
      host.ip('route', 'add', 'default', 'via', '10.1.0.254');
      expect(await host.hostnet.chooseMtu([])).toBe(8918);
    });

    it('is announced, but no address of ours or of container platforms', async () => {
      await host.hostnet.ensureBridge(BRIDGE);
      host.ip('address', 'add', '10.32.0.1/12', 'dev', 'weft');
      host.ip('link', 'add', 'docker0', 'type', 'bridge');
      host.ip('address', 'add', '172.17.0.1/16', 'dev', 'docker0');
      host.ip('link', 'set', 'docker0', 'up');
      host.ip('route', 'add', 'default', 'via', '10.2.0.254');
      expect(await host.hostnet.hostAddresses([])).toEqual(['10.2.0.1', '10.1.0.1']);
    });
  });
});
