import { type Contents, FIXED_SETS, setType } from './contents.js';

/**
 * The lines that make one state of the table of another, in one transaction: what is new first, then the ports move to it, then what nobody uses goes. No
 * lines, where nothing differs.
 */
export function difference(table: string, before: Contents, after: Contents): string[] {
  const lines = [
    ...newSets(table, before, after),
    ...changedElements(table, before, after),
    ...newChains(table, before, after),
    ...movedPorts(table, before, after),
    ...oldChains(table, before, after),
    ...oldSets(table, before, after),
  ];
  if (lines.length === 0) return [];
  return [...lines, `flush set bridge ${table} judged4`, `flush set bridge ${table} judged6`];
}

function newSets(table: string, before: Contents, after: Contents): string[] {
  return absent(after.sets, before.sets)
    .filter((name) => !FIXED_SETS.includes(name))
    .map((name) => `add set bridge ${table} ${name} { type ${setType(name)}; }`);
}

function changedElements(table: string, before: Contents, after: Contents): string[] {
  const none: ReadonlySet<string> = new Set();
  return [...after.sets].flatMap(([name, wanted]) => {
    const known = before.sets.get(name) ?? none;
    const lost = [...known].filter((element) => !wanted.has(element));
    const gained = [...wanted].filter((element) => !known.has(element));
    return [...elements('delete', table, name, lost), ...elements('add', table, name, gained)];
  });
}

function newChains(table: string, before: Contents, after: Contents): string[] {
  return absent(after.chains, before.chains).flatMap((name) => [
    `add chain bridge ${table} ${name}`,
    ...(after.chains.get(name) ?? []).map((rule) => `add rule bridge ${table} ${name} ${rule}`),
  ]);
}

function movedPorts(table: string, before: Contents, after: Contents): string[] {
  return (['ingress', 'egress'] as const).flatMap((direction) => {
    const [known, wanted] = [before.entries[direction], after.entries[direction]];
    const lost = [...known].filter(([port, chain]) => wanted.get(port) !== chain);
    const gained = [...wanted].filter(([port, chain]) => known.get(port) !== chain);
    const entry = ([port, chain]: [string, string]) => `"${port}" : jump ${chain}`;
    return [
      ...elements('delete', table, direction, lost.map(entry)),
      ...elements('add', table, direction, gained.map(entry)),
    ];
  });
}

function oldChains(table: string, before: Contents, after: Contents): string[] {
  const old = absent(before.chains, after.chains);
  return ['flush', 'delete'].flatMap((verb) => old.map((name) => `${verb} chain bridge ${table} ${name}`));
}

function oldSets(table: string, before: Contents, after: Contents): string[] {
  return absent(before.sets, after.sets)
    .filter((name) => !FIXED_SETS.includes(name))
    .map((name) => `delete set bridge ${table} ${name}`);
}

function elements(verb: 'add' | 'delete', table: string, set: string, members: readonly string[]): string[] {
  return members.length === 0 ? [] : [`${verb} element bridge ${table} ${set} { ${members.join(', ')} }`];
}

/** Keys of the one that the other has not. */
function absent(of: ReadonlyMap<string, unknown>, from: ReadonlyMap<string, unknown>): string[] {
  return [...of.keys()].filter((key) => !from.has(key));
}
