import { describe, expect, test } from 'vitest';
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
