import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { WeftError } from '../errors.js';

/** The zone of all names, unless the launch chooses another. */
export const DEFAULT_DOMAIN = 'weft.local';

/** What RFC 1035 allows for a name, as text without the last dot. */
const MAX_NAME = 253;
/** Leaves room for names in front of it. */
const MAX_DOMAIN = 127;
const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** A domain such as `weft.local`, in lower case and without the last dot. Throws `bad-domain`. */
export function parseDomain(text: string): string {
  const domain = text.toLowerCase().replace(/\.$/, '');
  if (isName(domain) && domain.length <= MAX_DOMAIN && isIP(domain) === 0) return domain;
  throw new WeftError('bad-domain', `"${text}" cannot be a DNS domain: write one like ${DEFAULT_DOMAIN}`);
}

/**
 * A container's name below the domain, in lower case: `Web`, `web.weft.local` and `web.weft.local.` are all `web`. Throws `bad-name`; also
 * for a name that ends with a dot but not with the domain.
 */
export function parseName(text: string, domain: string): string {
  const lower = text.toLowerCase();
  const absolute = lower.endsWith('.');
  const whole = absolute ? lower.slice(0, -1) : lower;
  const inside = whole.endsWith(`.${domain}`);
  const name = inside ? whole.slice(0, -domain.length - 1) : whole;
  if (absolute && !inside) throw badName(text, `it is not in the domain ${domain}`);
  if (name === domain) throw badName(text, 'it is the domain itself');
  checkName(name);
  return name;
}

/** Throws `bad-name` unless this is a name below the domain as `parseName` gives it. */
export function checkName(name: string): void {
  if (isIP(name) !== 0) throw badName(name, 'it is an address');
  if (isName(name) && name.length + 1 + MAX_DOMAIN <= MAX_NAME) return;
  throw badName(name, 'use at most 63 letters, digits, dashes or underscores between dots, and 125 in all');
}

function isName(text: string): boolean {
  return text.split('.').every((label) => LABEL.test(label));
}

function badName(text: string, why: string): WeftError {
  return new WeftError('bad-name', `"${text}" cannot name a container: ${why}`);
}

/** The bytes of an IPv4 or IPv6 address, 4 or 16 of them. Throws `bad-address`. */
export function addressBytes(text: string): Buffer {
  if (isIP(text) === 0 || text.includes('%')) {
    throw new WeftError('bad-address', `"${text}" is not an IP address: write one like 10.32.0.1`);
  }
  return Buffer.from(ipaddr.process(text).toByteArray());
}

/** The canonical text of 4 or 16 bytes. */
export function addressText(bytes: Uint8Array): string {
  return ipaddr.fromByteArray([...bytes]).toString();
}
