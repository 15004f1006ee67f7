import type { Attachment } from '../../api/index.js';
import { orDash } from '../format.js';
import { table } from '../output.js';

const SHORT_ID = 12;

export function attachmentsTable(attachments: readonly Attachment[]): Promise<string> {
  const rows = attachments.map(
    ({ target, id, name, network, interface: inside, mac, addresses, floating, present, sharedWith }) => [
      name ?? target,
      id === target ? '-' : id.slice(0, SHORT_ID),
      network,
      interfaceText(inside, present, sharedWith),
      orDash(mac),
      addresses.map((address) => (floating.includes(address) ? `${address} (floating)` : address)).join(' '),
    ],
  );
  return table(['container', 'id', 'network', 'interface', 'mac', 'addresses'], rows, 'nothing is attached');
}

function interfaceText(inside: string, present: boolean, sharedWith: readonly string[]): string {
  if (!present) return `${inside} (gone)`;
  return sharedWith.length === 0 ? inside : `${inside} (with ${sharedWith.join(', ')})`;
}
