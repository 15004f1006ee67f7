import { describe, expect, test } from 'vitest';
import type { ClusterNode } from '../../../../src/plugins/kubernetes/nodes.js';
import { GRACE, RemovedNodes, TURN } from '../../../../src/plugins/kubernetes/removed-nodes.js';

const peerOf = (letter: string) => letter.repeat(16);
const [A, B, C, D] = ['a', 'b', 'c', 'd'].map(peerOf) as [string, string, string, string];

const nodeOf = (name: string, peer?: string): ClusterNode => ({
  ...{ name, uid: `uid of ${name}`, addresses: [], peer },
  networkUnavailable: 'False',
});
const NODES = [nodeOf('n1', A), nodeOf('n2', B), nodeOf('n3', C)];

/** Those of whom some router is to take over what they owned, with who that is. */
function dueTo(all: Readonly<Record<string, RemovedNodes>>, alive: readonly string[], now: number) {
  return Object.entries(all).flatMap(([self, nodes]) =>
    nodes.due(self, alive, now).map(({ peer }) => ({ self, peer })),
  );
}

/** What each router that is there knows after all of them saw these nodes. */
function routers(...selves: readonly string[]): Record<string, RemovedNodes> {
  const all = Object.fromEntries(selves.map((self) => [self, new RemovedNodes()]));
  for (const nodes of Object.values(all)) nodes.see(NODES, 0);
  return all;
}

const gone = (all: Readonly<Record<string, RemovedNodes>>, now: number, left = NODES.slice(0, 2)) => {
  for (const nodes of Object.values(all)) nodes.see(left, now);
};

describe('what a router owned whose Node was removed', () => {
  test('is taken over by one of the others after the time of grace, and by the next one if that does not do it', () => {
    const all = routers(A, B);
    gone(all, 1_000);
    expect(dueTo(all, [A, B], 1_000 + GRACE - 1)).toEqual([]);
    const first = dueTo(all, [A, B], 1_000 + GRACE);
    expect(first).toEqual([{ self: expect.any(String), peer: C }]);
    expect(dueTo(all, [A, B], 1_000 + GRACE + TURN).map(({ self }) => self)).toEqual([A, B]);
    const [{ self: heir = '' } = {}] = first;
    all[heir]?.forget(C);
    expect(dueTo(all, [A, B], 1_000 + GRACE)).toEqual([]);
  });

  test('falls to another one when the first is dead, and to different ones for different routers', () => {
    const all = routers(A, B);
    gone(all, 0);
    const [{ self: heir } = {}] = dueTo(all, [A, B], GRACE);
    const other = heir === A ? B : A;
    expect(dueTo({ [other]: all[other] ?? new RemovedNodes() }, [other], GRACE)).toEqual([
      { self: other, peer: C },
    ]);
    const heirs = new Set(
      ['1', '2', '3', '4', '5', '6', '7', '8'].map((letter) => {
        const many = new RemovedNodes();
        many.see([...NODES, nodeOf('x', peerOf(letter))], 0);
        many.see(NODES, 0);
        return [A, B, C].find((self) => many.due(self, [A, B, C], GRACE).length > 0);
      }),
    );
    expect(heirs.size).toBeGreaterThan(1);
  });

  test('is left alone while that router works, and for the time of grace after it stopped', () => {
    const all = routers(A, B);
    gone(all, 0);
    for (const now of [GRACE, 10 * GRACE]) expect(dueTo(all, [A, B, C], now)).toEqual([]);
    expect(dueTo(all, [A, B], 11 * GRACE - 1)).toEqual([]);
    expect(dueTo(all, [A, B], 11 * GRACE)).toHaveLength(1);
  });

  test('is its own again when its Node is made anew and the router is the same', () => {
    const all = routers(A, B);
    gone(all, 0);
    gone(all, GRACE / 2, NODES);
    expect(dueTo(all, [A, B], 2 * GRACE)).toEqual([]);
    expect(all[A]?.gone).toEqual([]);
  });

  test('is taken over when a Node of that name has another router now, or the router moved on to no Node', () => {
    const all = routers(A, B);
    gone(all, 0, [nodeOf('n1', A), nodeOf('n2', B), nodeOf('n3', D)]);
    expect(dueTo(all, [A, B, D], GRACE)).toEqual([{ self: expect.any(String), peer: C }]);
  });

  test('stays where it is when the Node only has another name', () => {
    const all = routers(A, B);
    gone(all, 0, [nodeOf('n1', A), nodeOf('n2', B), nodeOf('renamed', C)]);
    expect(dueTo(all, [A, B], 10 * GRACE)).toEqual([]);
    expect(all[A]?.known).toContainEqual({ peer: C, node: 'renamed' });
  });

  test('is nobody’s business that never was on a Node, nor is a list without any Node news of one', () => {
    const all = routers(A, B);
    gone(all, 0, []);
    expect(dueTo(all, [A, B], 10 * GRACE)).toEqual([]);
    gone(all, 0, [nodeOf('n1', A), nodeOf('n2', B), nodeOf('n3', C)]);
    expect(dueTo(all, [A, B], 10 * GRACE)).toEqual([]); // D is a member of the mesh, and down
  });

  test('is taken over by no router that is on no Node itself', () => {
    const all = routers(A, D);
    gone(all, 0, [nodeOf('n1', A)]);
    expect(dueTo({ [D]: all[D] ?? new RemovedNodes() }, [A, D], 10 * TURN)).toEqual([]);
    const own = new RemovedNodes();
    own.see(NODES, 0);
    own.see([nodeOf('n2', B)], 0);
    expect(own.due(A, [A, B], 10 * TURN)).toEqual([]); // it is gone itself
  });

  test('is known after a restart, during which its Node went', () => {
    const before = new RemovedNodes();
    before.see(NODES, 0);
    const after = new RemovedNodes(before.known);
    after.see(NODES.slice(0, 2), 5);
    expect(after.gone).toEqual([{ peer: C, node: 'n3', since: 5 }]);
  });
});
