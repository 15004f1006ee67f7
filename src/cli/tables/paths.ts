import type { PeerPath } from '../../api/index.js';
import { duration, latency, orDash, table } from '../terminal/index.js';

/** For each peer a line about the way in use, then one for each address and each relay that could be used. */
export async function pathsText(paths: readonly PeerPath[]): Promise<string> {
  if (paths.length === 0) return 'no peers';
  return (await Promise.all(paths.map(pathText))).join('\n\n');
}

async function pathText(path: PeerPath): Promise<string> {
  const { peer, nickname, reason, kernel, nat, udpPorts, candidates, relays } = path;
  const rows = [
    ...candidates.map(({ endpoint, learned, probes, answers, rtt, lastAnswer }) => [
      learned ? `${endpoint} (found there)` : endpoint,
      `${answers} of ${probes} probes answered`,
      orDash(rtt, latency),
      lastAnswer === null ? 'never' : `${duration(lastAnswer)} ago`,
    ]),
    ...relays.map(({ nickname: relay, hops, cost }) => [
      `through ${relay}`,
      hops === 1 ? 'which reaches it directly' : `which is ${hops} hops away from it`,
      latency(cost),
      'by cost',
    ]),
  ];
  const lines = [
    `${nickname} (${peer}): ${wayOf(path)}`,
    ...(reason === undefined ? [] : [`  ${reason}`]),
    ...(kernel === null ? [] : [`  ${kernelText(kernel)}`]),
    `  NAT: ${nat.here} here, ${nat.there} there`,
    ...portsText(udpPorts),
    await table(['way', 'tried', 'rtt', 'answered'], rows, '  no address and no relay is known'),
  ];
  return lines.join('\n');
}

function kernelText({ used, reason }: NonNullable<PeerPath['kernel']>): string {
  return used
    ? 'kernel: frames for its containers do not leave the kernel'
    : `kernel: not used, ${reason ?? 'not tried yet'}`;
}

/** Nothing where there is one port only, as by default. */
function portsText(ports: PeerPath['udpPorts']): string[] {
  if (ports === null || ports.of === 1) return [];
  const { used, of, reason } = ports;
  return [`  UDP ports: sends from ${used} of ${of}${reason === undefined ? '' : ` (${reason})`}`];
}

/** `direct to 192.0.2.1:6783, 1.20 ms`, `through host3, 3.40 ms`, … */
function wayOf({
  path,
  endpoint,
  viaNickname,
  rtt,
}: Pick<PeerPath, 'path' | 'endpoint' | 'viaNickname' | 'rtt'>): string {
  const measured = rtt === null ? '' : `, ${latency(rtt)}`;
  switch (path) {
    case 'direct':
      return `direct to ${endpoint ?? 'it'}${measured}`;
    case 'relay':
      return `through ${viaNickname ?? 'another router'}${measured}`;
    case 'tcp':
      return `direct over TCP${measured}`;
    case 'none':
      return 'not reached';
  }
}
