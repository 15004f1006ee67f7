import type { AttachRequest } from '../../api/index.js';

/** What a container's labels say of weft; docs/guide.md. */

/** `true`, or the addresses that it is to have. */
export const ATTACH = 'weft.attach';
const NAME = 'weft.name';
const NETWORK = 'weft.network';

export type Labels = Readonly<Record<string, string>>;

/** How a container with these labels is to be attached; undefined when they do not say that it is. */
export function requestOf(id: string, labels: Labels): AttachRequest | undefined {
  const attach = labels[ATTACH]?.trim() ?? 'false';
  if (attach === '' || attach === 'false') return undefined;
  const [name, network] = [labels[NAME], labels[NETWORK]];
  return {
    target: `container:${id}`,
    addresses: attach === 'true' ? [] : attach.split(/[\s,]+/),
    ...(name !== undefined && { name }),
    ...(network !== undefined && { network }),
  };
}

/**
 * The labels that whoever ran a container gave it. Those of its image are left out: whoever made an image does not decide what gets onto
 * the network.
 */
export function ownLabels(labels: Labels, ofImage: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([key, value]) => ofImage[key] !== value));
}
