/**
 * Every interface that weft makes carries an alias (`ip link` shows it) that says whose it is. So nothing of anybody else's is
 * ever changed or removed, and what a killed router left behind is found again.
 */
import type { Link } from './ip.js';

const PREFIX = 'weft:';

/** The alias of a router's bridge and TAP. */
export function bridgeAlias(owner: string): string {
  return `${PREFIX}${owner}`;
}

/** The alias of the host's end of an attachment. */
export function attachmentAlias(owner: string, bridge: string, inside: string): string {
  return `${PREFIX}${owner}:${bridge}:${inside}`;
}

/** True for interfaces that some weft router made. */
export function isWeftLink(link: Link): boolean {
  return isWeftAlias(link.ifalias ?? '');
}

/** True for the alias of an interface that some weft router made. */
export function isWeftAlias(alias: string): boolean {
  return alias.startsWith(PREFIX);
}

/** True for host ends of attachments to any bridge of this router. */
export function isAttachment(link: Link, owner: string): boolean {
  return link.ifalias?.startsWith(`${PREFIX}${owner}:`) ?? false;
}

/** True for host ends of attachments to this bridge. */
export function isAttachmentOf(link: Link, owner: string, bridge: string): boolean {
  return link.ifalias?.startsWith(`${PREFIX}${owner}:${bridge}:`) ?? false;
}

/** The router (peer id) that made this interface; undefined when none did. */
export function ownerOf(link: Link): string | undefined {
  return isWeftLink(link) ? link.ifalias?.slice(PREFIX.length).split(':')[0] : undefined;
}
