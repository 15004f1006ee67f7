import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Founding, type FoundingOptions } from '../../../../src/daemon/addresses/founding.js';
import { stateFiles } from '../../../../src/daemon/state/index.js';
import { identityFromSeed, type PeerId } from '../../../../src/identity/index.js';
import { until } from '../../../lab/until.js';
import { FakeMesh } from '../mesh.js';

const identity = identityFromSeed(Buffer.alloc(32, 1));
const other = identityFromSeed(Buffer.alloc(32, 2));

let directory: string;
let world: FakeMesh;
let founders: (readonly PeerId[])[];
let founding: Founding;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'weft-founding-'));
  world = new FakeMesh();
  founders = [];
});
afterEach(async () => {
  await founding.stop();
  rmSync(directory, { recursive: true });
});

async function start(init: FoundingOptions['init'], options: Partial<FoundingOptions> = {}): Promise<void> {
  founding = new Founding({
    identity,
    mesh: world.mesh,
    init,
    named: async () => 1,
    file: stateFiles(directory).vote,
    isFounded: () => founders.length > 0,
    found: (those) => founders.push(those),
    onFailure: (error) => {
      throw error;
    },
    ...options,
  });
  await founding.start();
}

describe('the ring of addresses', () => {
  it('begins with the router that made the network', async () => {
    await start({ kind: 'creator' });
    expect(founders).toEqual([[identity.peer]]);
  });

  it('is not begun by a router that joins with a token, which says what it waits for', async () => {
    await start({ kind: 'join' });
    expect(founders).toEqual([]);
    expect(founding.note).toMatch(/was met yet/);
  });

  it('begins with the routers that were named, once those with a nickname were met', async () => {
    await start({ kind: 'seed', seeds: [identity.peer, 'b'] });
    expect(founders).toEqual([]);
    world.meets({ peer: identity.peer, nickname: 'a' }, { peer: other.peer, nickname: 'b' });
    expect(founders).toEqual([[identity.peer, other.peer]]);
  });

  it('begins with this router alone, called by its nickname, once nobody told of a network for ten seconds', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      await start({ kind: 'seed', seeds: ['a'] });
      world.meets({ peer: identity.peer, nickname: 'a' }, { peer: other.peer, nickname: 'b' });
      vi.advanceTimersByTime(9_999);
      expect(founders).toEqual([]);
      vi.advanceTimersByTime(1);
      expect(founders).toEqual([[identity.peer]]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('does not begin with one of two routers of one nickname', async () => {
    await start({ kind: 'seed', seeds: ['b'] });
    world.meets({ peer: identity.peer, nickname: 'b' }, { peer: other.peer, nickname: 'b' });
    expect(founders).toEqual([]);
  });

  it('is begun by the vote of a router that is alone, whose vote is on the disk by then', async () => {
    await start({ kind: 'consensus', electors: undefined });
    await until('it has voted', () => founders.length > 0);
    expect(founders).toEqual([[identity.peer]]);
    expect((await stateFiles(directory).vote.read()).state).not.toBe('');
  });

  it('waits for a quorum of those that were named', async () => {
    await start({ kind: 'consensus', electors: 3 });
    await until('it says so', () => founding.note?.startsWith('2 of the 3 routers') === true);
    expect(founders).toEqual([]);
    expect([...world.channels.keys()]).toEqual(['election']);
  });

  it('does not hold up the start while no DNS server says who is named', async () => {
    await start({ kind: 'consensus', electors: undefined }, { named: () => new Promise(() => {}) });
    expect(founding.note).toMatch(/no DNS server says yet/);
  });
});
