import type { Exposure } from '../../api/index.js';

/** One line for each address. */
export function exposuresText(exposures: readonly Exposure[]): string {
  if (exposures.length === 0) return 'this host has no address';
  return exposures.map(describe).join('\n');
}

function describe({ network, address, masquerade, name }: Exposure): string {
  const facts = [
    ...(network === 'default' ? [] : [`on ${network}`]),
    ...(masquerade ? [] : ['without masquerading']),
    ...(name === null ? [] : [`as ${name}`]),
  ];
  return facts.length === 0 ? address : `${address} (${facts.join(', ')})`;
}
