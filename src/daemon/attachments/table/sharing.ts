/**
 * Containers in one network namespace (`docker run --network container:OTHER`): one attachment, called by several names. It is that of the
 * container that was attached first; the others share it.
 */
import type { Attachment } from '../../../api/index.js';
import type { Called } from '../../state/index.js';
import type { Entry } from './attachment-entry.js';

/** Everybody whose attachment it is: first whose own, then who shares it. */
export function everybody(entry: Entry): readonly Called[] {
  return [entry, ...(entry.sharers ?? [])];
}

/** Those of them who are in the namespace now. */
export function present(entry: Entry): readonly Called[] {
  const sharers = (entry.sharers ?? []).filter(({ id }) => entry.sharing.includes(id));
  return entry.present ? [entry, ...sharers] : [];
}

/** One more, who is in the namespace, or one of them under other names. */
export function withSharer(entry: Entry, sharer: Called): Entry {
  const others = withoutSharer(entry, sharer.id);
  return {
    ...others,
    sharers: [...(others.sharers ?? []), calledOf(sharer)],
    sharing: [...others.sharing, sharer.id],
  };
}

export function withoutSharer(entry: Entry, id: string): Entry {
  return {
    ...entry,
    sharers: (entry.sharers ?? []).filter((sharer) => sharer.id !== id),
    sharing: entry.sharing.filter((sharer) => sharer !== id),
  };
}

/** The attachment of the first who shares it, its owner having left; undefined when nobody else is in the namespace. Its addresses stay who they were given to. */
export function handedOn(entry: Entry): Entry | undefined {
  const heir = entry.sharers?.find(({ id }) => entry.sharing.includes(id));
  if (heir === undefined) return undefined;
  const { containerName, isNamed, aliases, labels, ...rest } = withoutSharer(entry, heir.id);
  return { ...rest, ...heir, holder: holderOf(entry) };
}

/** Whose addresses they are by the ring. */
export function holderOf({ id, holder = id }: Pick<Entry, 'id' | 'holder'>): string {
  return holder;
}

function calledOf(called: Called): Called {
  const { id, target, name, hostname, dns, engine, containerName, isNamed, aliases, labels } = called;
  return {
    ...{ id, target, name, hostname, dns, engine },
    ...(containerName === undefined ? {} : { containerName }),
    ...(isNamed === undefined ? {} : { isNamed }),
    ...(aliases === undefined ? {} : { aliases }),
    ...(labels === undefined ? {} : { labels }),
  };
}

/** As one of those whose attachment it is sees it. */
export function view(entry: Entry, id: string): Attachment {
  const { interface: inside, network, mac = null, addresses, floating = [] } = entry;
  const all = everybody(entry);
  const { target, name, labels = {} } = all.find((called) => called.id === id) ?? entry;
  const here = present(entry);
  return {
    ...{ target, id, name, interface: inside, network, mac },
    addresses: [...addresses],
    floating: [...floating],
    labels,
    present: here.some((called) => called.id === id),
    sharedWith: here.flatMap((called) => (called.id === id ? [] : [called.name ?? called.target])),
  };
}
