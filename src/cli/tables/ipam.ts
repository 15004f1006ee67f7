import type { AddressOwner, Ipam } from '../../api/index.js';
import { pairs, peerName, table } from '../terminal/index.js';

export async function ipamText(ipam: Ipam): Promise<string> {
  return `${summary(ipam)}\n\n${await ownersTable(ipam.owners)}`;
}

function summary(ipam: Ipam): string {
  const { range, range6, defaultSubnet, owned, allocated, pending, waitingFor, note } = ipam;
  const names = waitingFor.map(peerName).join(', ');
  return pairs([
    ['range', range6 === null ? range : `${range}, ${range6}`],
    ['default subnet', defaultSubnet],
    ['this host', `${allocated} in use of ${owned}`],
    ...(pending > 0 ? [['to be taken over', `${pending}, when ${names} answered`] as const] : []),
    ...(note === null ? [] : [['note', note] as const]),
  ]);
}

function ownersTable(owners: readonly AddressOwner[]): Promise<string> {
  const rows = owners.map(({ peer, nickname, addresses, share, free, reachable, heir }) => [
    nickname === '' ? peer : `${nickname} (${peer})`,
    `${addresses}`,
    `${(share * 100).toFixed(1)} %`,
    free === null ? '?' : `${free}`,
    heir === null ? (reachable ? '' : 'unreachable') : `gone, ${heir} takes over`,
  ]);
  return table(['owner', 'addresses', 'share', 'free', ''], rows, 'nobody owns addresses yet');
}
