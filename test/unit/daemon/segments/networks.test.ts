import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Networks, type NetworksOptions } from '../../../../src/daemon/segments/networks.js';
import type { NetworkClaim, NetworkRecord } from '../../../../src/networks/index.js';
import { until } from '../../../lab/until.js';

const SELF = '00112233445566aa' as NetworksOptions['owner'];
const OTHER = 'ffffffffffffffff' as NetworksOptions['owner'];

/** What all routers say about networks, this one among them. */
class Records extends EventEmitter {
  readonly said = new Map<string, NetworkClaim>();

  says(owner: NetworksOptions['owner'], name: string, record: NetworkRecord): void {
    this.said.set(`${owner} ${name}`, { owner, name, record });
    this.emit('changed');
  }
  claims() {
    return this.said.values();
  }
  publish(name: string, record: NetworkRecord): void {
    this.says(SELF, name, record);
  }
  async publishStored(name: string, record: NetworkRecord): Promise<void> {
    this.says(SELF, name, record);
  }
}

/** A host's networks, with its bridges and what the forwarder serves in sets. */
async function start({ users = new Set<string>(), left = [] as string[], isKeeper = false } = {}) {
  const bridges = new Set(left);
  const served = new Set<number>();
  const records = new Records();
  const told: (readonly number[])[] = [];
  const networks = new Networks({
    bridge: 'weft',
    owner: SELF,
    mtu: 1418,
    forwarder: {
      connected: true,
      limitLearning: async () => {},
      openNetwork: async ({ network }: { network: number }) => void served.add(network),
      closeNetwork: async (network: number) => void served.delete(network),
      dump: async () => ({ networks: [...served].map((network) => ({ network, queues: 1 })) }),
    } as unknown as NetworksOptions['forwarder'],
    host: {
      ensureBridge: async ({ bridge }) => void bridges.add(bridge),
      plugTap: async () => {},
      removeBridge: async (bridge) => (bridges.delete(bridge) ? [bridge] : []),
      bridgesOf: async () => [...bridges],
    },
    records,
    onSegments: (numbers) => told.push(numbers),
    isKeeper: () => isKeeper,
    onFailure: (error) => {
      throw error;
    },
  });
  networks.addUser({ uses: (name) => users.has(name) });
  await networks.makeBridge();
  await networks.start();
  return { networks, records, bridges, served, told, users };
}

describe('the networks of a host', () => {
  it('have a bridge here only once somebody of this host is on them', async () => {
    const { networks, bridges, told } = await start();
    const { number } = await networks.create({ name: 'blue', subnets: [] });
    expect(bridges).toEqual(new Set(['weft']));
    const { bridge } = await networks.segment('blue');
    expect(bridges).toEqual(new Set(['weft', bridge]));
    expect(told.at(-1)).toEqual([0, number]);
  });

  it('are refused by a name that nobody made', async () => {
    const { networks } = await start();
    await expect(networks.segment('blue')).rejects.toMatchObject({ code: 'no-such-network' });
  });

  it('lose their bridge here when somebody removes them', async () => {
    const { networks, records, bridges, served } = await start();
    records.says(OTHER, 'blue', { number: 7, subnets: [], createdAt: 1, state: 'idle' });
    await networks.segment('blue');
    records.says(OTHER, 'blue', { number: 7, subnets: [], createdAt: 1, state: 'removed' });
    await until('its bridge is gone', () => bridges.size === 1);
    expect(served).toEqual(new Set([0]));
  });

  it('outlive their removal elsewhere while a container here is on them', async () => {
    const { networks, records, users, bridges } = await start();
    records.says(OTHER, 'blue', { number: 7, subnets: [], createdAt: 1, state: 'idle' });
    users.add('blue');
    await networks.segment('blue');
    networks.settle('blue');
    records.says(OTHER, 'blue', { number: 7, subnets: [], createdAt: 1, state: 'removed' });
    await until('this host says that it goes on', () => networks.list().length === 2);
    expect(networks.list()[1]).toMatchObject({ name: 'blue', usedBy: [SELF] });
    expect(bridges.size).toBe(2);
  });

  it('are not removed while a container of this host is on them, not even by force', async () => {
    const { networks, users } = await start();
    await networks.create({ name: 'blue', subnets: [] });
    users.add('blue');
    await networks.segment('blue');
    await expect(networks.remove('blue', true)).rejects.toMatchObject({ code: 'network-used' });
  });

  it('that an earlier run left without containers are taken down', async () => {
    const { networks, bridges } = await start({ left: ['weft0007'] });
    await networks.removeUnused();
    expect(bridges).toEqual(new Set(['weft']));
  });

  it('are spoken of by a keeper when the router that made them is forgotten', async () => {
    const { networks, records } = await start({ isKeeper: true });
    records.says(OTHER, 'blue', { number: 7, subnets: ['10.99.0.0/16'], createdAt: 1, state: 'idle' });
    records.said.delete(`${OTHER} blue`);
    records.emit('changed');
    expect(records.said.get(`${SELF} blue`)?.record).toMatchObject({ number: 7, state: 'idle' });
    expect(networks.list()).toHaveLength(2);
  });

  it('are made once, however often somebody makes sure of them, and not with other subnets', async () => {
    const { networks } = await start();
    for (let i = 0; i < 2; i += 1) await networks.ensure('shop_default', ['10.40.0.0/16']);
    expect(networks.list()).toMatchObject([
      { name: 'default' },
      { name: 'shop_default', subnets: ['10.40.0.0/16'] },
    ]);
    const other = networks.ensure('shop_default', ['10.41.0.0/16']);
    await expect(other).rejects.toMatchObject({ code: 'network-exists' });
    await networks.ensure('default', ['10.32.0.0/12']);
    expect(networks.list()[0]).toMatchObject({ name: 'default', subnets: [] });
  });

  it('go when they are given up, but not from under somebody on any host', async () => {
    const { networks, records, users } = await start();
    const names = () => networks.list().map(({ name }) => name);
    for (const name of ['here', 'there', 'left']) await networks.ensure(name, []);
    users.add('here');
    const [there] = networks.list().filter(({ name }) => name === 'there');
    records.says(OTHER, 'there', { number: there?.number ?? 0, subnets: [], createdAt: 1, state: 'used' });
    for (const name of ['here', 'there', 'left', 'default', 'unheard-of']) await networks.release(name);
    expect(names()).toEqual(['default', 'here', 'there']);
  });
});
