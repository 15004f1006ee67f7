import type { Attachment } from '../../api/index.js';
import { shortId } from '../../short-id.js';
import { orDash, table } from '../terminal/index.js';

export function attachmentsTable(attachments: readonly Attachment[]): Promise<string> {
  const rows = attachments.map(
    ({ target, id, name, network, interface: inside, mac, addresses, floating, present, sharedWith }) => [
      name ?? target,
      id === target ? '-' : shortId(id),
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
