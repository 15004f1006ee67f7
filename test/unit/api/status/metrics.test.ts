import { describe, expect, test } from 'vitest';
import { countersFile, countersFileNow, metricsTable, metricsTableNow } from '../../../../scripts/metrics.js';
import { FAMILIES, metricsText, PEER_SERIES_LIMIT } from '../../../../src/api/status/metrics/index.js';
import { prometheusIsMissing, promtool } from '../../../prometheus.js';
import { connection, crowd, member, observation } from './observations.js';

/** The values of a metric, by their labels as they are written. */
async function values(name: string, seen = observation()): Promise<Record<string, number>> {
  const lines = (await metricsText(seen, 'text')).split('\n');
  const found = lines.flatMap((line) => {
    const [, metric, labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    return metric === name ? [[labels, Number(value)] as const] : [];
  });
  return Object.fromEntries(found);
}

describe('metrics', () => {
  test('sort all peers by how packets get there, and those who left or were expelled are no peers', async () => {
    const seen = observation({
      peers: [
        member('0a', { state: 'self', self: true }),
        member('0b'),
        member('0c'),
        member('0d'),
        member('0e'),
        member('0f', { state: 'down' }),
        member('10', { state: 'known' }),
        member('11', { state: 'left' }),
        member('12', { state: 'revoked' }),
        member('13'),
      ],
      connections: [
        connection('0b'),
        connection('0c', { cipher: 'plain' }),
        connection('13', { cipher: 'plain', kernel: { used: true, reason: null } }),
        connection('0d', { path: 'relay', cipher: 'plain' }),
        connection('0e', { path: 'tcp' }),
        connection('0f', { path: 'none', rtt: null, loss: null }),
        connection('12', { path: 'none' }),
      ],
    });
    expect(await values('weft_peers', seen)).toEqual({
      'path="direct"': 1,
      'path="plain"': 1,
      'path="kernel"': 1,
      'path="relay"': 1,
      'path="tcp"': 1,
      'path="none"': 2,
    });
    expect(Object.keys(await values('weft_peer_path', seen))).toHaveLength(6);
    expect(Object.keys(await values('weft_peer_rtt_seconds', seen))).toHaveLength(5);
  });

  test('forget an expelled peer at once', async () => {
    const seen = observation(crowd(2));
    expect(Object.keys(await values('weft_peer_sent_bytes_total', seen))).toHaveLength(2);
    const [gone, stays] = seen.peers;
    const peers = [{ ...member(gone?.peer ?? ''), state: 'revoked' as const }, stays ?? member('0b')];
    expect(Object.keys(await values('weft_peer_sent_bytes_total', { ...seen, peers }))).toEqual([
      `peer="${stays?.peer}",nickname="${stays?.nickname}"`,
    ]);
  });

  test('have no series for each peer above the limit, and say so', async () => {
    const few = observation(crowd(PEER_SERIES_LIMIT));
    const many = observation(crowd(PEER_SERIES_LIMIT + 1));
    expect(await values('weft_peer_series_omitted', few)).toEqual({ '': 0 });
    expect(Object.keys(await values('weft_peer_path', few))).toHaveLength(PEER_SERIES_LIMIT);
    expect(await values('weft_peer_series_omitted', many)).toEqual({ '': PEER_SERIES_LIMIT + 1 });
    expect(await values('weft_peer_path', many)).toEqual({});
    expect((await values('weft_peers', many))['path="direct"']).toBe(PEER_SERIES_LIMIT + 1);
  });

  test('tell of a forwarder that does not answer, and nothing that it would count', async () => {
    const seen = observation();
    const counters = { ...seen.counters, forwarder: null };
    expect(await values('weft_forwarder_up', { ...seen, counters })).toEqual({ '': 0 });
    expect(await values('weft_forwarder_tap_read_frames_total', { ...seen, counters })).toEqual({});
    expect(await values('weft_forwarder_tap_read_frames_total', seen)).toEqual({ '': 7 });
    expect((await values('weft_forwarder_dropped_total', seen))['reason="storm"']).toBe(5);
    expect(await metricsText(seen, 'text')).not.toContain('of_another_version');
  });

  test('keep what a nickname says within its label', async () => {
    const nickname = '"} 1\nweft_ready 0\n<img src=x onerror=alert(1)>\\';
    const peers = [member('0b', { nickname })];
    const text = await metricsText(
      observation({ peers, connections: [connection('0b', { nickname })] }),
      'text',
    );
    expect(text).toContain('nickname="\\"} 1\\nweft_ready 0\\n<img src=x onerror=alert(1)>\\\\"');
    expect(text.match(/^weft_ready /gm)).toHaveLength(1);
  });

  test('have neither the id of the network nor paths of files', async () => {
    const text = await metricsText(observation(crowd(3)), 'text');
    expect(text).not.toMatch(/fedcba9876543210|\/run\/weft|\/var\/lib/);
  });

  test.skipIf(prometheusIsMissing())(
    'are found good by promtool, of a lonely router and of a large mesh',
    async () => {
      for (const peers of [0, 3, PEER_SERIES_LIMIT]) {
        const text = await metricsText(observation(crowd(peers)), 'text');
        expect(await promtool(['check', 'metrics'], text)).toEqual({ isGood: true, said: '' });
      }
    },
  );

  test('end as OpenMetrics wants it, where that is asked for', async () => {
    const text = await metricsText(observation(), 'openmetrics');
    expect(text).toMatch(/# TYPE weft_dns_queries counter\nweft_dns_queries_total 3\n/);
    expect(text).toMatch(/# EOF\n$/);
  });

  test('have names and meanings that docs/observe.md tells: `npx tsx scripts/metrics.ts` writes it anew', async () => {
    expect(metricsTableNow()).toBe(await metricsTable());
    expect(countersFileNow()).toBe(countersFile());
    for (const { name, type, help } of FAMILIES) {
      expect(name).toMatch(type === 'counter' ? /^[a-z_0-9]+_total$/ : /^[a-z_0-9]+(?<!_total)$/);
      expect(help).toMatch(/^[A-Z].*\.$/);
    }
  });
});
