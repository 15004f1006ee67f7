import type { Attachment } from '../../api/index.js';
import { labelsText } from '../../labels.js';
import { shortId } from '../../text/index.js';
import { orDash, table } from '../terminal/index.js';

/** Labels are told only where there are some. */
export function attachmentsTable(attachments: readonly Attachment[]): Promise<string> {
  const labelled = attachments.some(({ labels }) => Object.keys(labels).length > 0);
  const rows = attachments.map(
    ({
      target,
      id,
      name,
      network,
      interface: inside,
      mac,
      addresses,
      floating,
      labels,
      present,
      sharedWith,
    }) => [
      name ?? target,
      id === target ? '-' : shortId(id),
      network,
      interfaceText(inside, present, sharedWith),
      orDash(mac),
      addresses.map((address) => (floating.includes(address) ? `${address} (floating)` : address)).join(' '),
      ...(labelled ? [labelsText(labels)] : []),
    ],
  );
  const headings = ['container', 'id', 'network', 'interface', 'mac', 'addresses'];
  return table([...headings, ...(labelled ? ['labels'] : [])], rows, 'nothing is attached');
}

function interfaceText(inside: string, present: boolean, sharedWith: readonly string[]): string {
  if (!present) return `${inside} (gone)`;
  return sharedWith.length === 0 ? inside : `${inside} (with ${sharedWith.join(', ')})`;
}
