import { beforeEach, describe, expect, it } from 'vitest';
import type { Entry } from '../../../src/daemon/attachments/table/attachment-entry.js';
import { MacWatch } from '../../../src/daemon/mac-routes/mac-watch.js';
import { until } from '../../lab/until.js';

function container(id: string): Entry {
  return {
    id,
    target: id,
    name: id,
    hostname: null,
    inode: 1,
    interface: 'ethweft',
    network: 'default',
    addresses: [],
    multicastRoute: true,
    dns: true,
    engine: null,
    present: true,
    sharing: [],
  };
}

const [web, db] = [container('web'), container('db')];
let time = 0;
let looks: string[] = [];
let lookUps = 0;
let changed = new Set<string>();
let given = new Set<string>();
let watch: MacWatch;

beforeEach(() => {
  [time, looks, lookUps, changed, given] = [0, [], 0, new Set(), new Set()];
  watch = new MacWatch({
    now: () => time,
    ports: async (_network, macs) => {
      lookUps += macs.length;
      return new Map(macs.map((mac) => [mac, mac.startsWith('02:01') ? 'wvdb' : 'wvweb']));
    },
    atPort: (port) => ({ wvweb: web, wvdb: db })[port],
    isGiven: (_network, mac) => given.has(mac),
    present: () => [web, db],
    follow: async ({ id }) => {
      looks.push(id);
      return changed.delete(id);
    },
    onFailure: (error) => {
      throw error;
    },
  });
});

const mac = (number: number, start = '02:00') =>
  `${start}:00:00:${(number >> 8).toString(16).padStart(2, '0')}:${(number & 255).toString(16).padStart(2, '0')}`;

describe('the watch over MACs', () => {
  it('looks nothing up for a container whose first frame came before it was known', async () => {
    watch.seen(0, mac(1));
    watch.seen(0, mac(2));
    given.add(mac(1));
    await until('it has looked', () => looks.length > 0);
    await watch.stop();
    expect(lookUps).toBe(1);
  });

  it('looks at the container at whose port an unknown MAC is, and at no other', async () => {
    watch.seen(0, mac(1));
    await until('it has looked', () => looks.length > 0);
    await watch.stop();
    expect(looks).toEqual(['web']);
  });

  it("does not look again soon for a MAC that is not the container's own, and less and less often", async () => {
    const looksAt = (id: string) => looks.filter((look) => look === id).length;
    for (const [at, isTime] of [
      [0, true],
      [499, false],
      [500, true],
      [1_499, false],
      [1_500, true],
      [3_499, false],
      [3_500, true],
    ] as const) {
      time = at;
      const [before, markers] = [looksAt('web'), looksAt('db')];
      watch.seen(0, mac(1));
      watch.seen(0, mac(at, '02:01'));
      await until('the round is over', () => looksAt('db') > markers);
      expect([at, looksAt('web') > before]).toEqual([at, isTime]);
    }
    await watch.stop();
  });

  it('follows a container that takes a MAC, another one, and the first again', async () => {
    for (const [number, count] of [
      [1, 1],
      [2, 2],
      [1, 3],
    ] as const) {
      changed.add('web');
      watch.seen(0, mac(number));
      await until('it has looked', () => looks.length === count);
    }
    await watch.stop();
  });

  it('looks at all containers in turn when there is more than can be told', async () => {
    for (let number = 0; number < 10_000; number += 1) watch.seen(0, mac(number));
    watch.seen(0, null);
    await until('it has looked at the one that nobody named', () => looks.includes('db'));
    await watch.stop();
    expect(lookUps).toBeLessThan(300);
  });
});
