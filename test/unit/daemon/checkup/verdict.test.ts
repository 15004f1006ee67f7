import { describe, expect, test } from 'vitest';
import { type Findings, NOTHING } from '../../../../src/daemon/checkup/questioner.js';
import { type Facts, verdictOf } from '../../../../src/daemon/checkup/verdict.js';
import type { ConnectionView } from '../../../../src/overlay/index.js';

const WELL: Findings = {
  control: true,
  out: true,
  back: true,
  fullOut: true,
  fullBack: true,
  hailed: true,
  heard: true,
  ourName: true,
  theirName: true,
};
const DIRECT = { path: 'direct', pathMtu: 1500 } as ConnectionView;

/** What the columns show, in their order. */
function cells(findings: Partial<Findings>, facts: Partial<Facts> = {}): string[] {
  const verdict = verdictOf({
    findings: { ...WELL, ...findings },
    down: false,
    connection: DIRECT,
    mtu: 1418,
    ...facts,
  });
  const all = Object.values(verdict);
  for (const { state, remedy } of all)
    expect(remedy === undefined).toBe(state === 'ok' || state === 'unknown');
  return all.map(({ finding }) => finding);
}

describe('what is said of a peer', () => {
  test.each<[string, Partial<Findings>, Partial<Facts>, string[]]>([
    ['all works', {}, {}, ['ok', 'ok', 'ok', 'ok', 'ok']],
    ['nobody has names', { ourName: null, theirName: null }, {}, ['ok', 'ok', 'ok', 'ok', '-']],
    ['it is not there', NOTHING, {}, ['no answer', 'no way', '-', '-', '-']],
    ['it is down', NOTHING, { down: true }, ['down', 'no way', '-', '-', '-']],
    ['its turn never came', {}, { findings: undefined }, ['no time', '-', '-', '-', '-']],
    ['its daemon is dead', { ...NOTHING, out: true, fullOut: true }, {}, ['no answer', 'ok', 'ok', '-', '-']],
    ['packets pass one way', { back: false, fullBack: false }, {}, ['ok', 'not from it', '-', '-', 'ok']],
    ['packets pass the other way', { out: false, fullOut: false }, {}, ['ok', 'not to it', '-', '-', 'ok']],
    [
      'the path is narrow',
      { fullOut: false, fullBack: false },
      {},
      ['ok', 'ok', 'cut both ways', 'ok', 'ok'],
    ],
    ['the way there is narrow', { fullOut: false }, {}, ['ok', 'ok', 'cut to it', 'ok', 'ok']],
    ['the way back is narrow', { fullBack: false }, {}, ['ok', 'ok', 'cut from it', 'ok', 'ok']],
    ['a loop mutes this host', { hailed: false, heard: false }, {}, ['ok', 'ok', 'ok', 'not sent', 'ok']],
    ['a loop mutes that host', { heard: false }, {}, ['ok', 'ok', 'ok', 'not heard', 'ok']],
    ['our name is unknown', { ourName: false }, {}, ['ok', 'ok', 'ok', 'ok', 'unknown there']],
    ['its name is unknown', { theirName: false }, {}, ['ok', 'ok', 'ok', 'ok', 'unknown here']],
  ])('when %s', (_, findings, facts, expected) => {
    expect(cells(findings, facts)).toEqual(expected);
  });

  test('UDP that is blocked is told with what was tried, whether TCP helps or not', () => {
    const reason = 'no direct answer over UDP (tried 192.0.2.1:6783 9 times)';
    const connection = { ...DIRECT, path: 'tcp', reason } as ConnectionView;
    const slow = verdictOf({ findings: WELL, down: false, connection, mtu: 1418 });
    expect(slow.data).toEqual({ state: 'warn', finding: 'over TCP', remedy: reason });
    const none = verdictOf({ findings: { ...WELL, out: false }, down: false, connection, mtu: 1418 });
    expect(none.data).toMatchObject({ state: 'fail', remedy: reason });
  });

  test('a path that carries less than containers may send is told with both sizes', () => {
    const connection = { ...DIRECT, pathMtu: 1280 };
    const { mtu } = verdictOf({ findings: { ...WELL, fullOut: false }, down: false, connection, mtu: 1418 });
    expect(mtu.remedy).toMatch(/1418 bytes.*1280 bytes.*--mtu/);
  });
});
