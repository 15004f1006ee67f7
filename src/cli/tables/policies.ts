import type { PolicyList } from '../../api/index.js';
import { table } from '../terminal/index.js';

/** The policies, and what keeps them from being enforced on this host. */
export async function policiesTable({ policies, faults, denied }: PolicyList): Promise<string> {
  const rows = policies.map(({ namespace, name, pods, directions, selected }) => [
    `${namespace}/${name}`,
    pods,
    directions.join(' '),
    String(selected),
  ]);
  const listed = await table(['policy', 'containers', 'directions', 'selected'], rows, 'no policies');
  const { ingress, egress, source } = denied;
  const counted =
    policies.length === 0
      ? []
      : [
          `denied on this host: ${ingress} on ingress, ${egress} on egress, ${source} from addresses of others`,
        ];
  return [listed, ...counted, ...faults].join('\n');
}
