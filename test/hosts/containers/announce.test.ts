import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { DnsReport } from '../../../src/api/index.js';
import { until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { counters, grown, pair } from '../pair.js';

const world = onLab(async (lab) => {
  const [a, b] = await lab.hosts(2);
  return await pair(a, b);
});

describe('a container that is attached', () => {
  test('announces its addresses to all hosts, by gratuitous ARP and unsolicited neighbour advertisement', async () => {
    const { a, c2 } = world();
    const listening = c2.start(['tcpdump', '-l', '-n', '-i', 'ethweft', 'arp or icmp6']);
    await listening.says(/listening/);
    await (await a.container('new')).attach('10.32.0.31/24', 'fd32::31/64');
    await listening.says(/Announcement 10\.32\.0\.31|who-has 10\.32\.0\.31 .*tell 10\.32\.0\.31/);
    await listening.says(/neighbor advertisement, tgt is fd32::31/);
    await listening.stop();
  });

  test('is known on the other host with its labels, and with those that take their place', async () => {
    const { a, b } = world();
    const container = await a.container('labelled');
    const knows = (labels: Record<string, string>) =>
      until(`b knows ${JSON.stringify(labels)}`, async () => {
        const { names } = await b.weftJson<DnsReport>('status', 'dns');
        const name = names.find(({ addresses }) => addresses.includes('10.32.0.32'));
        return isDeepStrictEqual(name?.labels, labels);
      });
    await container.attach('10.32.0.32/24', '--label', 'app=shop', '--label', 'tier=');
    await knows({ app: 'shop', tier: '' });
    const found = await b.run(['curl', '-sS', 'http://127.0.0.1:6782/find?text=app%3Dshop']);
    expect(JSON.parse(found)).toEqual({ peers: [(await a.report()).status.peer] });
    await container.attach('10.32.0.32/24', '--label', 'app=store');
    await knows({ app: 'store' });
  });
});

describe('hairpin mode of the port to the tunnel', () => {
  test('does no harm: what comes out of the tunnel does not go back into it', async () => {
    const { a, c1, c2 } = world();
    const count = 200;
    await a.ip('link set dev weft-tap type bridge_slave hairpin on');
    const before = await counters(a);
    await c2.attempt(['ping', '-q', '-b', '-c', `${count}`, '-i', '0.002', '-W', '1', '10.32.0.255']);
    await grown(a, before, 'tap_written_frames', count);
    await c1.reaches(c2.address);
    const { tap_read_frames: read = 0 } = await counters(a);
    expect(read - (before.tap_read_frames ?? 0)).toBeLessThan(count / 2);
    const { datapath } = await a.report();
    expect(datapath?.networks.map(({ loop }) => loop)).toEqual([null]);
  });
});
