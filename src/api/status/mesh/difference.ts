import type { MeshChange, MeshView, PartChange } from './view.js';

const NOTHING: Pick<MeshView, 'hosts' | 'links' | 'traffic' | 'others'> = {
  hosts: new Map(),
  links: new Map(),
  traffic: new Map(),
  others: new Map(),
};

/** What makes the later view of the earlier one; of none: everything. */
export function difference(earlier: MeshView | undefined, later: MeshView, at: number): MeshChange {
  const from = earlier ?? NOTHING;
  const about = aboutOf(later);
  const hosts = part(from.hosts, later.hosts);
  const links = part(from.links, later.links);
  const traffic = part(from.traffic, later.traffic);
  const others = part(from.others, later.others);
  return {
    at,
    ...(earlier !== undefined && isSame(aboutOf(earlier), about) ? {} : { about }),
    ...(hosts && { hosts }),
    ...(links && { links }),
    ...(traffic && { traffic }),
    ...(others && { others }),
  };
}

function aboutOf({ self, health, omitted }: MeshView): NonNullable<MeshChange['about']> {
  return { self, health, omitted };
}

function part<T>(from: ReadonlyMap<string, T>, to: ReadonlyMap<string, T>): PartChange<T> | undefined {
  const put = [...to].filter(([key, value]) => !from.has(key) || !isSame(from.get(key), value));
  const gone = [...from.keys()].filter((key) => !to.has(key));
  return put.length + gone.length === 0 ? undefined : { put: Object.fromEntries(put), gone };
}

function isSame(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
