import { describe, expect, it } from 'vitest';
import { failuresOf } from '../../../bench/results.js';
import { chooseCongestionControls } from '../../../bench/workloads/congestion-control.js';

describe('the benchmark', () => {
  it.each([
    ['reno cubic bbr\n', ['cubic', 'bbr']],
    ['reno cubic\n', ['cubic']],
    ['reno bbr\n', ['bbr']],
    ['reno\n', ['reno']],
    ['dctcp vegas\n', ['dctcp']],
  ])('where the kernel allows %j measures with %j', (allowed, chosen) => {
    expect(chooseCongestionControls(allowed)).toEqual(chosen);
  });

  it('takes a contender for failed that has no sample of a round, and tells why', () => {
    const contender = (name: string, samples: number, failures: string[]) => ({
      name,
      kind: 'peer' as const,
      encrypted: true,
      setup: '',
      version: undefined,
      carriers: [],
      medians: {},
      samples: Array.from({ length: samples }, () => ({})),
      disturbances: [],
      failures,
    });
    const contenders = [
      contender('good', 2, []),
      contender('good at last', 2, ['a stall']),
      contender('missing', 0, ['it is not installed']),
      contender('broken', 1, ['a stall', 'it ended\nlog']),
    ];
    expect(failuresOf({ rounds: 2, contenders })).toEqual([
      'missing: it is not installed',
      'broken: it ended',
    ]);
  });
});
