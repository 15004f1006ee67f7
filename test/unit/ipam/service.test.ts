import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WeftError } from '../../../src/errors.js';
import { type Identity, identityFromSeed, type PeerId } from '../../../src/identity/index.js';
import { AddressService, parseBlock, RingFiles, Ula } from '../../../src/ipam/index.js';

const NETWORK = '00112233445566aa';
const ULA = new Ula(NETWORK);

let directory: string;
let hosts: Host[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'weft-ipam-'));
  hosts = [];
});

afterEach(async () => {
  await Promise.all(hosts.map((host) => host.service.stop()));
  await rm(directory, { recursive: true });
});

interface HostOptions {
  readonly range?: string;
  readonly boot?: string;
  readonly ipv6?: boolean;
  /** Seconds since the boot. */
  readonly uptime?: number;
}

/** A router's addresses with real files, and links in memory to the other hosts of the test. */
class Host {
  readonly identity: Identity;
  readonly warnings: string[] = [];
  readonly name: string;
  #service: AddressService | undefined;
  isUp = false;
  /** The next write fails with this. */
  failure: WeftError | undefined;

  constructor(name: string) {
    this.name = name;
    this.identity = identityFromSeed(Buffer.alloc(32, name));
    hosts.push(this);
  }

  get statePath(): string {
    return join(directory, this.name, 'addresses.json');
  }

  get peer(): PeerId {
    return this.identity.peer;
  }

  get service(): AddressService {
    if (this.#service === undefined) throw new Error(`${this.name} was not started`);
    return this.#service;
  }

  async start({ range = '10.32.0.0/24', boot = 'first', ipv6 = false, uptime = 10 }: HostOptions = {}) {
    const block = parseBlock(range);
    const markerPath = join(directory, this.name, 'run', 'witness.json');
    const files = new RingFiles({
      statePath: this.statePath,
      markerPath,
      bootId: boot,
      uptime: () => uptime,
    });
    const { state, continued } = await files.load(block);
    const others = () => hosts.filter((host) => host !== this && host.isUp);
    this.#service = new AddressService({
      identity: this.identity,
      ...{ range: block, defaultSubnet: block, ula: ipv6 ? ULA : undefined, state, continued },
      save: (saved) => (this.failure === undefined ? files.save(saved) : Promise.reject(this.failure)),
      transport: {
        send: (peer, bytes) =>
          setImmediate(() => {
            const other = others().find((host) => host.peer === peer);
            if (other !== undefined) other.service.receive(this.peer, bytes);
          }),
        reachable: (peer) => others().some((host) => host.peer === peer),
        neighbours: () => others().map(({ peer }) => peer),
        nameOf: (peer) => hosts.find((host) => host.peer === peer)?.name ?? peer,
        changed: () => this.#spread(this.service.channel.takeDeltas(), this.peer),
      },
      now: Date.now,
      random: Math.random,
      onLost: () => {},
      onMoved: () => {},
      onWarning: (error) => this.warnings.push(error.code),
    });
    this.isUp = true;
    this.#service.start();
    for (const other of others()) {
      this.exchange(other);
      other.service.reached(this.peer);
    }
    return continued;
  }

  async stop(): Promise<void> {
    this.isUp = false;
    await this.service.stop();
  }

  /** What one lacks of what the other knows, by their digests. */
  exchange(other: Host): void {
    let digest: Uint8Array | null = this.service.channel.digest();
    for (let [from, to]: [Host, Host] = [this, other]; digest !== null; [from, to] = [to, from]) {
      for (const delta of to.service.channel.answer(digest)) from.#merge(delta, to.peer);
      digest = to.service.channel.refine?.(digest) ?? null;
    }
  }

  #spread(deltas: readonly Uint8Array[], from: PeerId): void {
    for (const other of hosts) {
      if (other === this || !other.isUp) continue;
      for (const delta of deltas) other.#merge(delta, from);
    }
  }

  #merge(delta: Uint8Array, from: PeerId): void {
    try {
      this.service.channel.merge(delta, from);
    } catch (error) {
      this.warnings.push(String(error));
    }
  }
}

async function twoHosts(options?: HostOptions): Promise<[Host, Host]> {
  const [a, b] = [new Host('a'), new Host('b')];
  await a.start(options);
  a.service.found([a.peer]);
  await b.start(options);
  await a.service.prime();
  await b.service.prime();
  return [a, b];
}

test('each host hands out addresses of its own, with the IPv6 addresses behind them', async () => {
  const [a, b] = await twoHosts({ ipv6: true });
  const [ipv4, ipv6] = await a.service.allocate('c1');
  expect(ipv4).toBe('10.32.0.1/24');
  expect(ipv6).toBe(ULA.text(0x0a200001, 24));
  expect(await b.service.allocate('c1')).toContain('10.32.0.128/24');
  expect(b.service.lookup('c1')).toHaveLength(2);
  await b.service.release('c1');
  expect(b.service.lookup('c1')).toEqual([]);
});

test('an address is free again when both of the addresses that it stands for are released', async () => {
  const [a] = await twoHosts({ ipv6: true });
  const [ipv4 = '', ipv6 = ''] = await a.service.allocate('c1');
  await a.service.release('c1', [ipv4]);
  expect(a.service.lookup('c1')).toEqual([ipv6]);
  expect(await a.service.allocate('c2')).toContain('10.32.0.2/24');
  await a.service.release('c1', [ipv6, '192.0.2.1/24']);
  expect(await a.service.allocate('c3')).toContain('10.32.0.1/24');
});

test('addresses outside the range are nobody’s to give, those inside are noted', async () => {
  const [a, b] = await twoHosts({ ipv6: true });
  await a.service.claim('c', '192.0.2.1/24');
  expect(a.service.lookup('c')).toEqual([]);
  await b.service.claim('c', ULA.text(0x0a200009, 24));
  await expect(a.service.claim('d', '10.32.0.9/24')).rejects.toMatchObject({ code: 'address-used' });
  await expect(a.service.allocate('c', '10.40.0.0/16')).rejects.toMatchObject({ code: 'bad-subnet' });
});

test('one owner is given one address after the other, of one family alone', async () => {
  const [a] = await twoHosts({ ipv6: true });
  const subnet6 = ULA.text(0x0a200000, 24);
  const take = (subnet: string) => a.service.allocateOne('docker', subnet);
  expect(await take('10.32.0.0/24')).toBe('10.32.0.1/24');
  expect(await take('10.32.0.0/25')).toBe('10.32.0.2/25');
  expect(await take(subnet6)).toBe(ULA.text(0x0a200003, 24));
  await a.service.claim('docker', ULA.text(0x0a200001, 24));
  await a.service.release('docker', ['10.32.0.1']);
  expect(a.service.lookup('docker')).toEqual([
    ULA.text(0x0a200001, 24),
    '10.32.0.2/25',
    ULA.text(0x0a200003, 24),
  ]);
  await a.service.release('docker', [ULA.text(0x0a200001, 24)]);
  expect(await take('10.32.0.0/24')).toBe('10.32.0.1/24');
});

test.each([
  '10.40.0.0/16',
  'fd00::/112',
  `${ULA.range.split('/')[0]}/96`,
  'fd00::',
  'x:y/112',
])('no address of one family is given of %s, which is not of the range', async (subnet) => {
  const [a] = await twoHosts({ ipv6: true });
  await expect(a.service.allocateOne('docker', subnet)).rejects.toMatchObject({
    code: 'bad-subnet',
    message: expect.stringContaining('range'),
  });
});

test('no IPv6 address is given where there is no IPv6', async () => {
  const [a] = await twoHosts();
  await expect(a.service.allocateOne('docker', ULA.text(0x0a200000, 24))).rejects.toMatchObject({
    code: 'bad-subnet',
  });
});

test('what is of a subnet is found with its IPv6 addresses, without any ring', async () => {
  const a = new Host('a');
  await a.start({ ipv6: true });
  const inside = ['10.32.0.9/25', ULA.text(0x0a200009, 25)];
  const others = ['10.32.0.200/24', ULA.text(0x0a2000c8, 24), '192.0.2.9/24', 'fd00::9/64'];
  expect(a.service.within([...others, ...inside], '10.32.0.0/25')).toEqual(inside);
  expect(() => a.service.within(inside, '10.40.0.0/16')).toThrow(
    expect.objectContaining({ code: 'bad-subnet' }),
  );
});

test('who waits is told why nothing came', async () => {
  const [a, b] = await twoHosts();
  await a.stop();
  await expect(b.service.allocate('c', undefined, AbortSignal.timeout(20))).rejects.toMatchObject({
    code: 'not-in-time',
    message: expect.stringContaining('only a can give'),
  });
  const alone = new Host('z');
  hosts.splice(0, hosts.length, alone);
  await alone.start();
  await expect(alone.service.allocate('c', undefined, AbortSignal.timeout(20))).rejects.toMatchObject({
    code: 'no-addresses',
  });
});

test('a router that is started again within the same boot goes on; after a reboot the others confirm first', async () => {
  const [a, b] = await twoHosts();
  await a.service.allocate('c1');
  await a.stop();
  await b.stop();
  expect(await a.start()).toBe(true);
  expect(await a.service.allocate('c1')).toEqual(['10.32.0.1/24']);
  await a.stop();
  expect(await a.start({ boot: 'second' })).toBe(false);
  const waiting = a.service.allocate('c1');
  expect(a.service.view()).toMatchObject({ inDoubt: true, waitingFor: [b.peer] });
  await b.start();
  expect(await waiting).toEqual(['10.32.0.1/24']);
});

test('a router that was away for long, or has an older file, does not simply go on', async () => {
  const [a] = await twoHosts();
  const older = await readFile(a.statePath);
  await a.service.allocate('c1');
  await a.stop();
  expect(await a.start({ uptime: 60 })).toBe(false);
  await a.service.allocate('c2');
  await a.stop();
  await writeFile(a.statePath, older);
  expect(await a.start({ uptime: 60 })).toBe(false);
});

test('a router in doubt does not go on after a crash as if it had been confirmed', async () => {
  const [a] = await twoHosts();
  await a.stop();
  const before = await readFile(a.statePath);
  const files = new RingFiles({
    statePath: a.statePath,
    markerPath: join(directory, 'a', 'run', 'witness.json'),
    ...{ bootId: 'second', uptime: () => 10 },
  });
  expect((await files.load(parseBlock('10.32.0.0/24'))).continued).toBe(false);
  await files.beat();
  expect(await readFile(a.statePath)).toEqual(before);
  expect(await a.start({ boot: 'second' })).toBe(false);
});

test('a router in doubt whose first write does not reach the disk is in doubt the next time, too', async () => {
  const [a] = await twoHosts();
  await a.stop();
  const before = await readFile(a.statePath);
  const files = new RingFiles({
    statePath: a.statePath,
    markerPath: join(directory, 'a', 'run', 'witness.json'),
    ...{ bootId: 'second', uptime: () => 10 },
  });
  const { state } = await files.load(parseBlock('10.32.0.0/24'));
  await rm(a.statePath);
  await mkdir(a.statePath);
  await expect(files.save(state)).rejects.toThrow();
  await files.beat();
  await rm(a.statePath, { recursive: true });
  await writeFile(a.statePath, before, { mode: 0o600 });
  expect(await a.start({ boot: 'second' })).toBe(false);
});

test('a router that is killed right after it wrote is in no doubt, though it said meanwhile that it is alive', async () => {
  const [a] = await twoHosts();
  await a.stop();
  const options = { statePath: a.statePath, markerPath: join(directory, 'a', 'run', 'witness.json') };
  const files = new RingFiles({ ...options, bootId: 'first', uptime: () => 10 });
  const { state, continued } = await files.load(parseBlock('10.32.0.0/24'));
  expect(continued).toBe(true);
  await Promise.all([files.save(state), files.beat()]);
  expect(await a.start()).toBe(true);
});

test('a damaged file is refused and left alone', async () => {
  const [a] = await twoHosts();
  await a.service.allocate('c1');
  await a.stop();
  const whole = await readFile(a.statePath, 'utf8');
  const flipped = whole.replace(
    /"facts": \[\s*"(.{40})/,
    (text) => text.slice(0, -1) + (text.endsWith('A') ? 'B' : 'A'),
  );
  for (const damaged of [whole.slice(0, whole.length / 2), '{}', '', flipped]) {
    await writeFile(a.statePath, damaged);
    await expect(a.start()).rejects.toMatchObject({
      code: 'file-corrupt',
      message: expect.stringContaining('restore it from a backup'),
    });
    expect(await readFile(a.statePath, 'utf8')).toBe(damaged);
  }
});

test('another range than before is refused with the remedy', async () => {
  const [a] = await twoHosts();
  await a.stop();
  await expect(a.start({ range: '10.64.0.0/16' })).rejects.toMatchObject({
    code: 'range-changed',
    message: expect.stringContaining('--ipalloc-range 10.32.0.0/24'),
  });
});

test('routers with different ranges refuse each other’s addresses, and name both', async () => {
  const [a, b] = [new Host('a'), new Host('b')];
  await a.start();
  a.service.found([a.peer]);
  await a.service.prime();
  await b.start({ range: '10.64.0.0/16' });
  b.exchange(a);
  expect(b.warnings.join()).toContain('10.32.0.0/24, this one of 10.64.0.0/16');
});

test('when the disk is full nothing is handed out, and nothing is different afterwards', async () => {
  const [a, b] = await twoHosts();
  await a.service.allocate('c1');
  const before = await readFile(a.statePath, 'utf8');
  a.failure = new WeftError('disk-full', 'the disk is full');
  await expect(a.service.allocate('c2')).rejects.toMatchObject({ code: 'disk-full' });
  await expect(a.service.release('c1')).rejects.toMatchObject({ code: 'disk-full' });
  expect(a.service.lookup('c1')).toEqual(['10.32.0.1/24']);
  const waiting = b.service.allocate('d', undefined, AbortSignal.timeout(50));
  await expect(waiting).rejects.toMatchObject({ code: 'not-in-time' });
  expect(await readFile(a.statePath, 'utf8')).toBe(before);
  a.failure = undefined;
  expect(await a.service.allocate('c2')).toEqual(['10.32.0.2/24']);
});

test('a dead host’s space is taken over, a leaving one’s is handed over', async () => {
  const [a, b] = await twoHosts();
  await a.service.allocate('c1');
  await expect(b.service.remove(a.peer)).rejects.toMatchObject({ code: 'peer-alive' });
  await a.stop();
  await b.service.remove(a.peer);
  expect(b.service.view().owned).toBe(256);
  const c = new Host('c');
  await c.start();
  await b.service.leave();
  expect(c.service.view().owned).toBe(256);
});
