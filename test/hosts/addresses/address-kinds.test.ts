import { describe, expect, test } from 'vitest';
import type { Attachment, Exposure } from '../../../src/api/index.js';
import { subnetOf } from '../../../src/hostnet/index.js';
import { onLab } from '../../lab/suite.js';
import { digs } from '../names/dig.js';
import { addressesOn, attach } from './ipam.js';

const DEFAULT = '10.50.9.0/24';
const [NET, IP, PLAIN] = ['10.50.0.1/24', '10.60.2.1/24', '10.60.1.1/24'];

/** Routers on two hosts; what is given is of a part of their range unless another one is asked for. */
const world = onLab(async (lab) => {
  const [a, b] = await lab.hosts(2);
  const args = ['--ipalloc-range', '10.50.0.0/16', '--ipalloc-default-subnet', DEFAULT];
  await a.launch({ args });
  await b.launch({ args, token: await a.token() });
  const asker = await a.container('asker', '10.60.9.9/24');
  const many = await a.container('many');
  return { a, b, asker, many };
});

describe.each([
  { asking: 'nothing', near: [], far: [], subnet: DEFAULT },
  { asking: 'default', near: ['net:default'], far: ['net:default'], subnet: DEFAULT },
  { asking: 'subnet', near: ['net:10.50.3.0/24'], far: ['net:10.50.3.0/24'], subnet: '10.50.3.0/24' },
  { asking: 'chosen', near: ['ip:10.60.4.1/24'], far: ['ip:10.60.4.2/24'], subnet: '10.60.4.0/24' },
])('containers of two hosts that ask for $near and $far', ({ asking, near, far, subnet }) => {
  test(`are given addresses of ${subnet}, and reach each other`, async () => {
    const { a, b } = world();
    const [c1, c2] = [await a.container(`near-${asking}`), await b.container(`far-${asking}`)];
    expect(subnetOf(await attach(c1, ...near))).toBe(subnet);
    expect(subnetOf(await attach(c2, ...far))).toBe(subnet);
    await c1.reaches(c2.address);
  });
});

describe('addresses that are chosen, that are chosen with ip:, and that are given of a subnet', () => {
  const hosts = (cidrs: readonly string[]) => cidrs.map((cidr) => cidr.slice(0, cidr.indexOf('/')));

  test('are together on a container, and leave it as they came, with their names', async () => {
    const { a, asker, many } = world();
    const become = async (command: string, addresses: string[], left: string[]) => {
      await a.weft(command, many.namespace, ...addresses);
      expect(await addressesOn(many, 'ethweft')).toEqual(left);
      await digs(asker, ['many.weft.local'], hosts(left));
    };
    const ways = ['10.60.1.1/24', 'ip:10.60.2.1/24', 'net:10.50.0.0/24'];
    const named = ['--name', 'many'];
    await become('attach', [...named, ...ways], [NET, PLAIN, IP]);
    await become('detach', ['net:10.50.0.0/24', 'ip:10.60.2.1/24'], [PLAIN]);
    await become('detach', ['10.60.1.1/24'], []);
    await become('attach', [...named, 'ip:10.60.2.1/24', 'net:10.50.0.0/24'], [NET, IP]);
    await become('attach', ['10.60.1.1/24'], [NET, PLAIN, IP]);
    await become('detach', ['net:10.50.7.0/24'], [NET, PLAIN, IP]);
  });

  test('are together on the host, and leave it as they came, with their names', async () => {
    const { a, asker } = world();
    const become = async (command: string, addresses: string[], left: string[]) => {
      await a.weft(command, ...addresses);
      expect(await addressesOn(a, 'weft')).toEqual(left);
      await digs(asker, ['gate.weft.local'], hosts(left));
    };
    const [net, ip, plain] = ['10.50.0.2/24', '10.60.2.254/24', '10.60.1.254/24'];
    const ways = ['10.60.1.254/24', 'ip:10.60.2.254/24', 'net:10.50.0.0/24'];
    await become('expose', ['-h', 'gate', ...ways], [net, plain, ip]);
    await become('hide', ['net:10.50.0.0/24', '10.60.1.254/24'], [ip]);
    await become('hide', ['ip:10.60.2.254/24'], []);
    const { code, stderr } = await a.tryWeft('hide', 'net:10.50.0.0/24');
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('net:10.50.0.0/24') });
  });

  test('of the default subnet are meant by net:default, with their IPv6 addresses', async () => {
    const { a } = world();
    const container = await a.container('default');
    expect(await attach(container, '10.60.3.1/24', 'net:default')).toBe('10.60.3.1/24');
    expect(subnetOf(container.addresses[1] ?? '')).toBe(DEFAULT);
    expect(container.addresses).toHaveLength(3);
    const left = await a.weftJson<Attachment>('detach', container.namespace, 'net:default');
    expect(left.addresses).toEqual(['10.60.3.1/24']);
    expect(await a.weftJson<Exposure[]>('expose', 'net:default')).toHaveLength(2);
    expect(await a.weftJson<Exposure[]>('hide', 'net:default')).toEqual([]);
  });

  test('are refused in the same way where they are taken as where they are given', async () => {
    const { a, many } = world();
    for (const command of [['attach', many.namespace], ['detach', many.namespace], ['expose'], ['hide']]) {
      const { code, stderr } = await a.tryWeft(...command, 'net:192.168.77.0/24');
      expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('10.50.0.0/16') });
    }
  });

  test('that were given are given to others once they are free', async () => {
    const { a, many } = world();
    await a.weft('detach', many.namespace);
    expect(await attach(await a.container('next'), 'net:10.50.0.0/24')).toBe(NET);
  });
});

describe('a router that waits for others to share the addresses with', () => {
  const alone = onLab(async (lab) => {
    const [a] = await lab.hosts(1);
    return { a };
  });
  const password = 'an unguessable sentence';

  test('is not launched with a default subnet outside its range', async () => {
    const { a } = alone();
    const args = ['--ipalloc-default-subnet', '10.51.0.0/24'];
    const refused = await a.tryWeft(...a.launchArguments({ password, args }));
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/10\.51\.0\.0\/24 is not within the range 10\.32\.0\.0\/12/);
  });

  test('takes addresses from containers and from the host without waiting', async () => {
    const { a } = alone();
    await a.launch({ password, args: ['--ipalloc-init', 'consensus=2'] });
    const container = await a.container('c', '10.60.1.1/24', '10.60.2.1/24');
    await a.weft('expose', '10.60.1.254/24', '10.60.2.254/24');
    const done = async (...args: string[]) => {
      const { code, seconds, stderr } = await a.tryWeft(...args);
      expect({ args, code, stderr, quick: seconds < 3 }).toEqual({ args, code: 0, stderr: '', quick: true });
    };
    await done('detach', container.namespace, '10.60.2.1/24');
    await done('detach', container.namespace, 'net:default');
    await done('detach', container.namespace);
    await done('hide', '10.60.2.254/24');
    await done('hide');
    expect(await addressesOn(container, 'ethweft')).toEqual([]);
    expect(await addressesOn(a, 'weft')).toEqual([]);
  });
});
