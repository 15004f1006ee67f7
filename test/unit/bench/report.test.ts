import { describe, expect, it } from 'vitest';
import { contenders } from '../../../bench/contenders/index.js';
import type { Sample } from '../../../bench/metrics.js';
import { PACKAGED } from '../../../bench/programs.js';
import { renderPlot, renderReport } from '../../../bench/report/index.js';
import type { ContenderResult, Results } from '../../../bench/results.js';

const FIGURES: Readonly<Record<string, Sample>> = {
  vxlan: { tcp1: 20, cpuTcp1: 0.6, rttIdleP50: 20, rttLoadP99: 40 },
  'floor aes-256-gcm': { tcp1: 11, cpuTcp1: 1.25 },
  'weft-trusted': { tcp1: 13 },
  'weft auto': { tcp1: 10, cpuTcp1: 1.4, rttIdleP50: 90, rttLoadP99: 900 },
  'wireguard-go': { tcp1: 2, cpuTcp1: 5.5, rttIdleP50: 230, rttLoadP99: 3100 },
  nebula: { tcp1: 0.9, cpuTcp1: 15, rttIdleP50: 160, rttLoadP99: 3000 },
};

/** A run in which only these contenders were measured. */
function resultsOf(...measured: string[]): Results {
  const results = contenders(PACKAGED)
    .filter(({ name }) => measured.includes(name))
    .map(({ name, kind, encrypted, setup }): ContenderResult => {
      const medians = FIGURES[name] ?? {};
      const version = kind === 'peer' ? 'v1.2.3' : undefined;
      const carriers = name === 'weft-trusted' ? ['direct plain', 'direct plain'] : [];
      const seen = { samples: [medians], disturbances: [0.01], failures: [], carriers };
      return { name, kind, encrypted, setup, version, medians, ...seen };
    });
  const machine = {
    cpu: 'a CPU',
    cores: 2,
    cryptoFlags: ['vaes'],
    memoryGb: 8,
    kernel: '6.1',
    distribution: 'Debian',
    versions: { iperf3: '3.12' },
  };
  return {
    date: '2026-11-30T12:00:00.000Z',
    machine,
    rounds: 1,
    seconds: 2,
    congestionControl: 'cubic',
    contenders: results,
  };
}

const ALL = Object.keys(FIGURES);

describe('the report of the benchmark', () => {
  it('begins with the picture and what it shows in three sentences', () => {
    const [title, picture, summary, next] = renderReport(resultsOf(...ALL), 'bench.svg').split('\n\n');
    expect(title).toMatch(/^# /);
    expect(picture).toMatch(/^!\[.*\]\(bench\.svg\)$/);
    expect(summary?.split('\n')).toEqual([
      '**10.00 Gb/s** is what one encrypted TCP flow carries between containers on two hosts: 5.00 times what wireguard-go (v1.2.3), ' +
        'the fastest other encrypted tunnel, carries, and 0.50 of what kernel VXLAN carries, which does not encrypt.',
      '**1.40 s a gigabyte** of CPU time is what it costs, both hosts and both containers together: wireguard-go (v1.2.3) takes ' +
        '5.50 s a gigabyte, kernel VXLAN 0.60 s a gigabyte, and a program that carries and encrypts and does nothing else 1.25 s a gigabyte.',
      '**90 µs** is a round trip while nothing else goes on (median), and **900 µs** what 99 of 100 stay below beside a flow that ' +
        'takes all it gets: nebula (v1.2.3) takes 160 µs and 3000 µs, and kernel VXLAN takes 20 µs and 40 µs.',
    ]);
    expect(next).toMatch(/^## /);
  });

  it('leaves out what was not compared', () => {
    const report = renderReport(resultsOf('weft auto'));
    expect(report).toContain('between containers on two hosts.\n');
    expect(report).not.toMatch(/undefined|NaN|!\[/);
    expect(renderReport(resultsOf('vxlan'))).not.toMatch(/undefined|NaN|\*\*/);
  });

  it('says which version each contender is, and what it says of its path', () => {
    const report = renderReport(resultsOf(...ALL));
    expect(report).toContain('- wireguard-go (v1.2.3): L3');
    expect(report).toMatch(/- weft-trusted: .*; it says of the path: direct plain\n/);
  });

  it('measures weft with others, not with itself or the floor', () => {
    const report = renderReport(resultsOf('floor aes-256-gcm', 'weft auto', 'nebula'));
    expect(report).toContain('11.11 times what nebula');
  });

  it('judges the CPU time of a gigabyte by the floor', () => {
    const report = renderReport(resultsOf(...ALL));
    expect(report).toMatch(
      /CPU seconds a gigabyte, weft auto, against floor aes-256-gcm +\| +1\.12 x .* missed \|/,
    );
  });

  it('has a picture with a panel for each sentence and a bar for each contender', () => {
    const picture = renderPlot(resultsOf(...ALL));
    expect(picture.match(/<g transform/g)).toHaveLength(3);
    for (const name of ALL) expect(picture.split(`>${name}<`)).toHaveLength(4);
  });
});
