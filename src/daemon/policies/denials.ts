import type { PolicyDenial } from '../../api/index.js';
import type { Denial } from '../../hostnet/index.js';
import { type End, isolating, type NetworkPolicy, type Pod } from '../../policy/index.js';
import { endText } from './sentences.js';

/**
 * What was denied lately, in the words of users, the latest first: whose packets, and which policies keep the container from them now. What was denied for
 * a container that is gone is left out.
 */
export function denialsOf(
  denials: readonly Denial[],
  pods: readonly Pod[],
  policies: readonly NetworkPolicy[],
): PolicyDenial[] {
  const byPort = new Map(pods.map((pod) => [pod.interface, pod]));
  const byAddress = new Map(
    pods.flatMap((pod) => pod.addresses.map((address) => [`${pod.network} ${address}`, pod] as const)),
  );
  const told = denials.flatMap((denial): PolicyDenial[] => {
    const pod = byPort.get(denial.port);
    if (pod === undefined) return [];
    const end = (address: string): End => ({ address, pod: byAddress.get(`${pod.network} ${address}`) });
    const { reason, source, destination, protocol, destinationPort, packets, ago } = denial;
    return [
      {
        ...{ reason, packets, ago, pod: `${pod.namespace}/${pod.name}` },
        ...{ source: endText(end(source)), destination: endText(end(destination)) },
        ...{ protocol: protocol.toUpperCase(), port: destinationPort ?? null },
        policies: reason === 'source' ? [] : isolating(policies, pod, reason),
      },
    ];
  });
  return told.sort((a, b) => a.ago - b.ago || b.packets - a.packets);
}
