import type { NetworkInfo } from '../../api/index.js';
import { orDash, table } from '../terminal/index.js';

export function networksTable(networks: readonly NetworkInfo[]): Promise<string> {
  const rows = networks.map(({ name, number, subnets, bridge, usedBy }) => [
    name,
    String(number),
    subnets.join(' ') || '-',
    orDash(bridge),
    usedBy.join(' ') || '-',
  ]);
  return table(['network', 'number', 'subnets', 'bridge', 'used by'], rows, 'no networks');
}
