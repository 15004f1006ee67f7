import ipaddr from 'ipaddr.js';
import { WeftError } from '../errors.js';
import { withoutLength } from '../net/index.js';
import { DEFAULT_NETWORK } from './directory.js';
import { MAX_SUBNETS, type NetworkRecord } from './record.js';

/** As container engines name theirs, and Compose: `shop_default`. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/;

/** Throws `bad-network-name` for what cannot name a network that somebody makes. */
export function checkNetworkName(name: string): void {
  if (name === DEFAULT_NETWORK) {
    throw new WeftError('bad-network-name', `the network "${name}" is always there: choose another name`);
  }
  if (NAME.test(name)) return;
  throw new WeftError(
    'bad-network-name',
    `"${name}" cannot name a network: use at most 63 letters, digits, dots, dashes and underscores, of which the first is a letter or a digit`,
  );
}

/** Throws `bad-network-name`, `bad-subnet` or `bad-number` for a record of somebody else that cannot be. */
export function checkNetworkRecord(name: string, { number, subnets }: NetworkRecord): void {
  checkNetworkName(name);
  if (parseSubnets(subnets).join() !== subnets.join()) {
    throw new WeftError('bad-subnet', `the subnets of the network ${name} are not in canonical text`);
  }
  if (number === 0) throw new WeftError('bad-number', `the network ${name} cannot have the number 0`);
}

/** Subnets in canonical text. Throws `bad-subnet` unless each is one, and none lies in another. */
export function parseSubnets(texts: readonly string[]): string[] {
  if (texts.length > MAX_SUBNETS) {
    throw new WeftError('bad-subnet', `a network has at most ${MAX_SUBNETS} subnets`);
  }
  const subnets = texts.map(parseSubnet);
  for (const [index, [address, length]] of subnets.entries()) {
    const other = subnets.slice(index + 1).find(([candidate, theirs]) => {
      return candidate.kind() === address.kind() && candidate.match(address, Math.min(length, theirs));
    });
    if (other === undefined) continue;
    throw new WeftError(
      'bad-subnet',
      `${texts[index]} and ${other.join('/')} overlap: give subnets that do not`,
    );
  }
  return subnets.map(([address, length]) => `${address}/${length}`);
}

function parseSubnet(text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  if (!ipaddr.isValidCIDR(text) || !ipaddr.isValid(withoutLength(text))) {
    throw new WeftError('bad-subnet', `"${text}" is not a subnet, such as 10.40.0.0/16 or fd40::/64`);
  }
  const [address, length] = ipaddr.parseCIDR(text);
  const first =
    address.kind() === 'ipv4'
      ? ipaddr.IPv4.networkAddressFromCIDR(text)
      : ipaddr.IPv6.networkAddressFromCIDR(text);
  if (first.toString() !== address.toString()) {
    throw new WeftError('bad-subnet', `${text} is an address in the subnet ${first}/${length}: give that`);
  }
  if (length === 0) throw new WeftError('bad-subnet', `${text} is every address: give a smaller subnet`);
  return [address, length];
}
