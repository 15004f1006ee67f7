import type { AttachRequest } from '../../api/index.js';
import { type Labels, mergedLabels } from '../../labels.js';

/** What a container's labels say of weft; docs/guide.md. */

/** `true`, or the addresses that it is to have. */
export const ATTACH = 'weft.attach';
const NAME = 'weft.name';
const NETWORK = 'weft.network';

/** Before the key of a label that the container is to have on the network. */
const OURS = 'weft.label.';
/** Those of engines' tools that it has there, too. */
const TOOLS = ['com.docker.compose.project', 'com.docker.compose.service', 'com.docker.swarm.service.name'];

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

/** Who tells the labels of images. */
export interface LabelEngine {
  imageLabels(image: string): Promise<Labels>;
}

/** The labels that a container has on the network, of those that whoever ran it gave it. The engine is asked only where there may be some. */
export async function carriedLabels(
  engine: LabelEngine,
  { image, labels }: { readonly image: string; readonly labels: Labels },
): Promise<Labels> {
  const isCarried = (key: string) => key.startsWith(OURS) || TOOLS.includes(key);
  if (!Object.keys(labels).some(isCarried)) return {};
  const own = Object.entries(ownLabels(labels, await engine.imageLabels(image)));
  const chosen = own.flatMap(([key, value]) =>
    key.startsWith(OURS) ? [[key.slice(OURS.length), value]] : [],
  );
  return mergedLabels(
    Object.fromEntries(chosen),
    Object.fromEntries(own.filter(([key]) => TOOLS.includes(key))),
  );
}
