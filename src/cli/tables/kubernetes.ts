import type { KubernetesStatus } from '../../api/index.js';
import { orDash, pairs } from '../terminal/index.js';

export function kubernetesText(status: KubernetesStatus): string {
  const { enabled, server, node, listedAt, counts, removed, faults } = status;
  if (!enabled) return pairs([['kubernetes', 'no: `weft launch --kubernetes` in a pod']]);
  const { nodes, namespaces, pods, policies } = counts;
  return pairs([
    ['server', `${orDash(server)}, ${stateText(status)}`],
    ['listed', listedAt === null ? 'not yet in this run' : timeText(listedAt)],
    ['node', orDash(node)],
    ['known', `${nodes} nodes, ${namespaces} namespaces, ${pods} pods, ${policies} policies`],
    ...removed.map(({ peer, node: gone }): [string, string] => ['removed', `${gone}, router ${peer}`]),
    ...faults.map((fault): [string, string] => ['fault', fault]),
  ]);
}

function stateText({ state, since }: KubernetesStatus): string {
  if (state === 'waiting') return 'has not answered yet';
  return state === 'working' ? `answers since ${timeText(since)}` : `away since ${timeText(since)}`;
}

function timeText(time: number): string {
  return new Date(time).toISOString();
}
