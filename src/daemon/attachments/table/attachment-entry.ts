import type { HairpinPort } from '../../../hostnet/index.js';
import { type Holder, platformHolder } from '../../addresses/index.js';
import type { StoredAttachment } from '../../state/index.js';

/** An attachment, and whether its interface is there. */
export interface Entry extends StoredAttachment {
  readonly present: boolean;
  /** Ids of those who share it that are in its namespace now. */
  readonly sharing: readonly string[];
}

/** Of a namespace that is not known yet, or was one of an earlier boot of this host. */
export const NO_INODE = 0;

/** Names an attachment: a container, and its interface. */
export function attachmentKey({ id, interface: inside }: Pick<Entry, 'id' | 'interface'>): string {
  return `${id} ${inside}`;
}

/** Those of its addresses that are this container's alone: the others go to whoever announces them last. */
export function fixedAddresses({
  addresses,
  floating = [],
}: Pick<Entry, 'addresses' | 'floating'>): string[] {
  return addresses.filter((address) => !floating.includes(address));
}

/** An attached container's port on a bridge of this host. */
export interface ContainerPort extends HairpinPort {
  readonly network: string;
}

/** Whose the addresses of an attachment are by the ring. */
export function ringHolder({
  id,
  holder = id,
  network,
  platform,
}: Pick<StoredAttachment, 'id' | 'holder' | 'network' | 'platform'>): Holder {
  return platform === undefined ? { id: holder, network } : platformHolder(platform.name);
}

/** Those of its addresses that are free when it goes: what a platform took it gives back itself. */
export function ownAddresses({
  addresses,
  platform,
}: Pick<StoredAttachment, 'addresses' | 'platform'>): readonly string[] {
  return platform === undefined ? addresses : [];
}

/** What an endpoint of a platform is called until it is known in which container it is. */
export function platformKey({ name, endpoint }: NonNullable<StoredAttachment['platform']>): string {
  return `${name} ${endpoint}`;
}

/** A platform's, of which nobody knows in which container it is, if in any. */
export function isLoose({ id, platform }: Pick<StoredAttachment, 'id' | 'platform'>): boolean {
  return platform !== undefined && id === platformKey(platform);
}
