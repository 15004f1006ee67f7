import { describe, expect, it } from 'vitest';
import { chainsThatDrop } from '../../../src/hostnet/index.js';

type Rules = Readonly<Record<string, readonly object[][]>>;

/** A ruleset as nft lists it: the table `ip filter`, whose chain FORWARD has this policy. */
function ruleset(policy: string, rules: Rules): object {
  const of = { family: 'ip', table: 'filter' };
  const hooked = { hook: 'forward', type: 'filter', prio: 0, policy };
  return {
    nftables: [
      { metainfo: { version: '1.0.6' } },
      ...Object.keys(rules).map((name) => ({
        chain: { ...of, name, ...(name === 'FORWARD' ? hooked : {}) },
      })),
      ...Object.entries(rules).flatMap(([chain, all]) =>
        all.map((expr) => ({ rule: { ...of, chain, expr } })),
      ),
    ],
  };
}

const match = (key: string, right: unknown, op = '==') => ({ match: { op, left: { meta: { key } }, right } });
const established = {
  match: { op: 'in', left: { ct: { key: 'state' } }, right: ['established', 'related'] },
};
const inside = [match('iifname', 'weft'), match('oifname', 'weft')];
const jump = (target: string) => ({ jump: { target } });
const [accept, drop, counter] = [{ accept: null }, { drop: null }, { counter: { packets: 1, bytes: 84 } }];

const drops = (policy: string, rules: Rules, { families = ['ip', 'inet'], isLaunching = false } = {}) =>
  chainsThatDrop(ruleset(policy, rules), 'weft', families, isLaunching).length > 0;

const DOCKER: Rules = {
  'DOCKER-USER': [[counter, { return: null }]],
  FORWARD: [
    [counter, jump('DOCKER-USER')],
    [established, counter, accept],
    [match('oifname', 'docker0'), counter, accept],
  ],
};

describe('the packet filter of a host', () => {
  it('drops frames of the bridge where that is its policy, and passes them where it is not', () => {
    expect(drops('drop', { FORWARD: [] })).toBe(true);
    expect(drops('accept', { FORWARD: [] })).toBe(false);
    expect(drops('drop', DOCKER)).toBe(true);
  });

  it('passes them by a rule of the bridge, wherever it is reached', () => {
    expect(drops('drop', { FORWARD: [[...inside, counter, accept]] })).toBe(false);
    expect(drops('drop', { ...DOCKER, 'DOCKER-USER': [[...inside, counter, accept]] })).toBe(false);
    expect(drops('drop', { FORWARD: [[match('iifname', 'we*'), accept]] })).toBe(false);
    expect(drops('drop', { FORWARD: [[match('iifname', { set: ['eth0', 'weft'] }), accept]] })).toBe(false);
    expect(drops('drop', { FORWARD: [[match('iifname', 'eth0', '!='), accept]] })).toBe(false);
    const map = { key: { meta: { key: 'iifname' } }, data: { set: [['weft', accept]] } };
    expect(drops('drop', { FORWARD: [[{ vmap: map }]] })).toBe(false);
  });

  it('drops them by a rule before that, and without any policy', () => {
    expect(drops('drop', { FORWARD: [[drop], [...inside, accept]] })).toBe(true);
    expect(drops('accept', { FORWARD: [[counter, { reject: { type: 'icmpx' } }]] })).toBe(true);
    expect(drops('accept', { FORWARD: [jump('LAST')].map((each) => [each]), LAST: [[drop]] })).toBe(true);
    expect(drops('accept', { FORWARD: [[{ xt: { type: 'target', name: 'REJECT' } }]] })).toBe(true);
  });

  it('is not judged by rules for some packets only', () => {
    expect(drops('drop', { FORWARD: [[established, accept]] })).toBe(true);
    expect(drops('accept', { FORWARD: [[established, drop]] })).toBe(false);
    expect(drops('drop', { FORWARD: [[...inside, { xt: { type: 'match', name: 'u32' } }, accept]] })).toBe(
      true,
    );
    expect(
      drops('drop', { FORWARD: [[...inside, { xt: { type: 'match', name: 'comment' } }, accept]] }),
    ).toBe(false);
  });

  it('goes on after a chain that was jumped to, but not after one that was gone to', () => {
    const accepting: Rules = { OTHER: [[{ return: null }]] };
    expect(drops('drop', { FORWARD: [[jump('OTHER')], [accept]], ...accepting })).toBe(false);
    expect(drops('drop', { FORWARD: [[{ goto: { target: 'OTHER' } }], [accept]], ...accepting })).toBe(true);
  });

  it('of a host on which no router runs yet is taken for what it is once one does', () => {
    expect(drops('drop', DOCKER, { isLaunching: true })).toBe(false);
    expect(drops('drop', { FORWARD: [] }, { isLaunching: true })).toBe(true);
  });

  it('counts as far as bridged frames are handed to it', () => {
    expect(drops('drop', { FORWARD: [] }, { families: ['ip6', 'inet'] })).toBe(false);
  });
});
