/** What a platform asks for, on the address ring of a router that is alone. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Exposure } from '../../../../src/api/index.js';
import { AddressSource, type AddressSourceOptions } from '../../../../src/daemon/addresses/index.js';
import { Platforms, type PlatformsOptions } from '../../../../src/daemon/platforms/index.js';
import { WeftError } from '../../../../src/errors.js';
import { identityFromSeed } from '../../../../src/identity/index.js';
import { AddressService, emptyState, parseBlock, Ula } from '../../../../src/ipam/index.js';

const RANGE = parseBlock('10.32.0.0/24');
const ULA = new Ula('00112233445566aa');
const IDENTITY = identityFromSeed(Buffer.alloc(32, 1));
/** The IPv6 address that goes with 10.32.0.N. */
const ula = (last: number) => ULA.text(RANGE.start + last, 24).split('/')[0] ?? '';

let service: AddressService;

beforeEach(() => {
  service = new AddressService({
    identity: IDENTITY,
    ...{ range: RANGE, defaultSubnet: RANGE, ula: ULA, state: emptyState(RANGE), continued: false },
    save: async () => {},
    transport: {
      send() {},
      reachable: () => false,
      neighbours: () => [],
      nameOf: (peer) => peer,
      changed() {},
    },
    ...{ now: Date.now, random: Math.random, onLost() {}, onMoved() {}, onWarning() {} },
  });
  service.found([IDENTITY.peer]);
});
afterEach(() => service.stop());

const NETWORKS = { ensure: async () => {}, release: async () => {}, subnets: () => [] };

function platforms(options: Partial<PlatformsOptions> = {}) {
  const networks = {} as AddressSourceOptions['networks'];
  const addresses = new AddressSource({ networks, allocator: service, onRefused: () => {} });
  return new Platforms({
    mtu: 1418,
    plan: { range: RANGE, defaultSubnet: RANGE, ula: ULA },
    domain: 'weft.local',
    networks: NETWORKS,
    obstacle: () => null,
    exposures: { list: () => [], expose: async () => [] },
    addresses,
    attachments: { ofPlatform: () => ({}) as never },
    ...options,
  });
}

describe('a platform', () => {
  it('is told what it may choose from', () => {
    expect(platforms().host('docker').networks).toMatchObject({
      mtu: 1418,
      ranges: { range: '10.32.0.0/24', subnet: '10.32.0.0/24', subnet6: `${ula(0)}/120` },
    });
    const plan = { range: RANGE, defaultSubnet: parseBlock('10.32.0.128/25'), ula: undefined };
    expect(platforms({ plan }).host('docker').networks.ranges).toMatchObject({
      subnet: '10.32.0.128/25',
      subnet6: null,
    });
  });

  it('is told from which subnets of a network containers have addresses', () => {
    const known: Record<string, string[]> = { shop: ['10.32.0.128/26'], six: ['fd00::/64'], none: [] };
    const networks = { ...NETWORKS, subnets: (name: string) => known[name] ?? [] };
    const { subnets } = platforms({ networks }).host('cni').networks;
    expect(subnets('default')).toEqual(['10.32.0.0/24', `${ula(0)}/120`]);
    expect(subnets('shop')).toEqual(['10.32.0.128/26', `${ula(128)}/122`]);
    expect(subnets('six')).toEqual(['fd00::/64']);
    expect(subnets('none')).toEqual([]);
  });

  it('has the host on a network once, whoever asks for its gateways', async () => {
    const exposed: Exposure[] = [];
    const expose = async () => {
      await new Promise(setImmediate);
      const made = { network: 'shop', address: '10.32.0.129/26', masquerade: true, name: null };
      exposed.push(made);
      return [made];
    };
    const { gateways } = platforms({ exposures: { list: () => exposed, expose } }).host('cni').networks;
    const asked = await Promise.all([gateways('shop'), gateways('shop')]);
    expect(asked).toEqual([['10.32.0.129/26'], ['10.32.0.129/26']]);
    expect(exposed).toHaveLength(1);
  });

  it('takes addresses of either family, each once, and knows from the ring which it has', async () => {
    const { addresses } = platforms().host('docker');
    expect(await addresses.take('10.32.0.0/24')).toBe('10.32.0.1/24');
    expect(await addresses.take('10.32.0.0/24')).toBe('10.32.0.2/24');
    expect(await addresses.take(`${ula(0)}/120`)).toBe(`${ula(3)}/120`);
    await addresses.claim('10.32.0.9');
    await addresses.claim(`${ula(9)}/120`);
    await addresses.claim('192.0.2.1');
    expect(platforms().host('docker').addresses.held()).toEqual([
      '10.32.0.1',
      '10.32.0.2',
      ula(3),
      '10.32.0.9',
      ula(9),
    ]);
    await addresses.release('10.32.0.1');
    await addresses.release('10.32.0.9/24');
    await addresses.release('192.0.2.1');
    expect(addresses.held()).toEqual(['10.32.0.2', ula(3), ula(9)]);
  });

  it('changes nothing by claiming what it has', async () => {
    const { addresses } = platforms().host('docker');
    await addresses.take('10.32.0.0/25');
    await addresses.claim('10.32.0.1/24');
    expect(service.lookup('docker containers')).toEqual(['10.32.0.1/25']);
  });

  it('is refused what another has, who is named, and cannot give it back', async () => {
    const host = platforms().host('docker');
    await service.claim('web', '10.32.0.7/24');
    await platforms().host('podman').addresses.claim('10.32.0.8');
    await expect(host.addresses.claim('10.32.0.7')).rejects.toMatchObject({
      code: 'address-used',
      message: expect.stringContaining('in use by web'),
    });
    await expect(host.addresses.claim('10.32.0.8')).rejects.toMatchObject({
      message: expect.stringContaining('in use by podman containers'),
    });
    await host.addresses.release('10.32.0.7');
    expect(service.lookup('web')).toEqual(['10.32.0.7/24']);
  });

  it.each([
    ['10.40.0.0/16', 'bad-subnet'],
    ['fd00::/112', 'bad-subnet'],
  ])('is refused addresses of %s', async (subnet, code) => {
    await expect(platforms().host('docker').addresses.take(subnet)).rejects.toMatchObject({ code });
  });

  it('is told when a subnet is used up', async () => {
    const { addresses } = platforms().host('docker');
    for (let i = 0; i < 2; i += 1) await addresses.take('10.32.0.0/30');
    await expect(addresses.take('10.32.0.0/30')).rejects.toMatchObject({ code: 'no-space' });
  });

  it('is told which hosts are missing', async () => {
    const missing = async (): Promise<never> => {
      throw new WeftError('not-in-time', 'only b can give 10.32.0.1 to 10.32.0.254, and cannot be reached');
    };
    const addresses = { takeOne: missing, claim: missing, release: async () => {}, held: () => [] };
    const host = platforms({ addresses }).host('docker');
    const refusal = { code: 'no-addresses', message: expect.stringContaining('only b') };
    await expect(host.addresses.take('10.32.0.0/24')).rejects.toMatchObject(refusal);
    await expect(host.addresses.claim('10.32.0.1')).rejects.toMatchObject(refusal);
  });
});
