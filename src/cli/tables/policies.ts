import type { PolicyDenials, PolicyList } from '../../api/index.js';
import { duration, table } from '../terminal/index.js';

/** The policies, and what keeps them from being enforced on this host. */
export async function policiesTable({ policies, faults, denied }: PolicyList): Promise<string> {
  const rows = policies.map(({ namespace, name, origin, pods, directions, selected }) => [
    `${namespace}/${name}`,
    pods,
    directions.join(' '),
    String(selected),
    origin,
  ]);
  const listed = await table(['policy', 'containers', 'directions', 'selected', 'of'], rows, 'no policies');
  const { ingress, egress, source } = denied;
  const counted =
    policies.length === 0
      ? []
      : [
          `denied on this host: ${ingress} on ingress, ${egress} on egress, ${source} from addresses that were not given`,
        ];
  return [listed, ...counted, ...faults].join('\n');
}

/** What was denied lately, the latest first. */
export function denialsTable({ denials }: PolicyDenials): Promise<string> {
  const rows = denials.map(({ reason, source, destination, protocol, port, packets, ago, policies, pod }) => [
    ...[reason, source, destination, port === null ? protocol : `${protocol}/${port}`],
    ...[String(packets), duration(ago)],
    reason === 'source' ? `${pod} was not given this address` : policies.join(' '),
  ]);
  const head = ['on', 'from', 'to', 'at', 'packets', 'ago', 'because of'];
  return table(head, rows, 'nothing was denied on this host in the last ten minutes');
}
