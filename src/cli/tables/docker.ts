import type { DockerStatus } from '../../api/index.js';
import { shortId } from '../../text/index.js';
import { orDash, pairs, table } from '../terminal/index.js';

export async function dockerText(status: DockerStatus): Promise<string> {
  const { engine, faults } = status;
  const facts = pairs([
    ['plugin', pluginText(status)],
    [
      'docker',
      engine.socket === null ? '-' : `${engine.socket}, ${engine.reachable ? 'answers' : 'does not answer'}`,
    ],
    ...faults.map((fault): [string, string] => ['fault', fault]),
  ]);
  return `${facts}\n\n${await networksTable(status)}`;
}

function pluginText({ enabled, listening, socket }: DockerStatus): string {
  if (!enabled) return 'disabled: `weft docker enable`';
  return listening ? `listens at ${socket}` : `does not listen at ${socket}`;
}

function networksTable({ networks }: DockerStatus): Promise<string> {
  const rows = networks.map(({ id, name, network, subnets, endpoints, fault }) => [
    name ?? shortId(id),
    orDash(network),
    subnets.join(' '),
    String(endpoints),
    fault ?? '',
  ]);
  return table(
    ['docker network', 'network', 'subnets', 'containers', ''],
    rows,
    'Docker has no networks of weft',
  );
}
