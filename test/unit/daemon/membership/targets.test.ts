import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Targets } from '../../../../src/daemon/membership/index.js';
import { type StateFiles, stateFiles } from '../../../../src/daemon/state/index.js';
import { identityFromSeed, newNetwork } from '../../../../src/identity/index.js';
import { Mesh } from '../../../../src/mesh/index.js';

const [LAUNCHED, BY_HAND, FOUND] = ['192.0.2.1:6783', '192.0.2.2:6783', '192.0.2.3:6783'];
const SOURCE = 'file:/etc/weft/targets';

describe('targets', () => {
  let directory: string;
  let file: StateFiles['targets'];
  let mesh: Mesh;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'weft-targets-'));
    file = stateFiles(directory).targets;
    // It is not started, so it dials nobody.
    mesh = new Mesh({
      identity: identityFromSeed(randomBytes(32)),
      network: newNetwork(),
      nickname: 'anna',
      version: '0.1.0',
      port: 6783,
      mtu: 1410,
    });
    mesh.connect([LAUNCHED]);
    mesh.discover([FOUND]);
  });

  afterEach(() => rm(directory, { recursive: true }));

  const targetsOf = (connected: readonly string[] = [], kept = file) =>
    new Targets({
      mesh,
      file: kept,
      connected,
      sourcesOf: (target) => (target === FOUND ? [SOURCE] : []),
    });
  const whoSaid = (targets: Targets) =>
    Object.fromEntries(targets.list().map(({ target, from }) => [target, from]));
  /** No file can be made there. */
  const nowhere = stateFiles('/dev/null').targets;

  test('are told with who named each: a launch, `weft connect`, a source, or several of them', async () => {
    const targets = targetsOf();
    await targets.connect({ peers: [BY_HAND, FOUND] });
    expect(whoSaid(targets)).toEqual({
      [LAUNCHED]: ['launch'],
      [BY_HAND]: ['connect'],
      [FOUND]: ['connect', SOURCE],
    });
  });

  test('of a launch stay its own when they are connected to by hand as well, however they are written', async () => {
    const targets = targetsOf();
    await targets.connect({ peers: ['192.0.2.1'] });
    expect(whoSaid(targets)).toMatchObject({ [LAUNCHED]: ['launch'] });
  });

  test('are on the disk with those that came by hand, and not with those that a source knows', async () => {
    await targetsOf().connect({ peers: [BY_HAND] });
    expect(await file.read()).toEqual({ targets: [LAUNCHED, BY_HAND], connected: [BY_HAND] });
  });

  test('of an earlier `weft connect` are known as such after a restart', () => {
    mesh.connect([BY_HAND]);
    expect(whoSaid(targetsOf(['192.0.2.2']))).toMatchObject({ [BY_HAND]: ['connect'] });
  });

  test('that the operator named are in a token, linked to or not; what a source told is not, before a router answered there', () => {
    expect(targetsOf().others()).toEqual([LAUNCHED]);
  });

  test('are replaced when it is asked for, but for those that a source knows', async () => {
    const targets = targetsOf();
    await targets.connect({ peers: [BY_HAND], replace: true });
    expect(whoSaid(targets)).toEqual({ [BY_HAND]: ['connect'], [FOUND]: [SOURCE] });
  });

  test('that are forgotten and connected to again are no more of the launch', async () => {
    const targets = targetsOf();
    await targets.forget([LAUNCHED]);
    await targets.connect({ peers: [LAUNCHED] });
    expect(whoSaid(targets)).toMatchObject({ [LAUNCHED]: ['connect'] });
  });

  test('that nobody configured are not forgotten, which says where they come from; the others are', async () => {
    const targets = targetsOf();
    await expect(targets.forget([LAUNCHED, FOUND])).rejects.toMatchObject({
      code: 'no-such-target',
      message: expect.stringMatching(/^192\.0\.2\.3:6783 is no target .*file:.* tells of it: .*--discover/),
    });
    expect(whoSaid(targets)).toEqual({ [FOUND]: [SOURCE] });
    await expect(targets.forget(['192.0.2.8', '192.0.2.9'])).rejects.toThrow(
      /are no targets .*`weft status targets` shows them/,
    );
  });

  test('change not at all when one of the peers cannot be one', async () => {
    const targets = targetsOf();
    await expect(targets.connect({ peers: [BY_HAND, '127.0.0.1'] })).rejects.toMatchObject({
      code: 'bad-address',
    });
    expect(Object.keys(whoSaid(targets))).toEqual([LAUNCHED, FOUND]);
  });

  test('change not at all when the disk does not take it', async () => {
    const targets = targetsOf([], nowhere);
    await expect(targets.connect({ peers: [BY_HAND], replace: true })).rejects.toThrow();
    expect(whoSaid(targets)).toEqual({ [LAUNCHED]: ['launch'], [FOUND]: [SOURCE] });
    await expect(targets.forget([LAUNCHED])).rejects.toThrow();
    expect(whoSaid(targets)).toEqual({ [LAUNCHED]: ['launch'], [FOUND]: [SOURCE] });
  });
});
