import type { CniCall } from '../../api/index.js';
import { WeftError } from '../../errors.js';
import { type Labels, mergedLabels } from '../../labels.js';
import { isIpv6 } from '../../net/index.js';
import { type CniArguments, parseArguments } from './arguments.js';
import { type Configuration, parseIpamResult } from './configuration.js';
import type { Wish } from './interfaces.js';

/** A pod as a runtime names it. */
export interface NamedPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string | undefined;
}

/** An interface of a container on a network of the runtime. */
export function interfaceId(network: string, container: string, inside: string): string {
  return `${network} ${container} ${inside}`;
}

/** What a runtime wants with ADD. Throws `bad-cni-arguments`, or `bad-cni-config` for what the other plugin gave. */
export function wishOf(call: CniCall, configuration: Configuration): Wish {
  const { name, network, args, runtimeConfig } = configuration;
  const { container, inside, namespace } = placeOf(call);
  const said = parseArguments(call.args ?? '');
  const delegated = call.ipam === undefined ? undefined : parseIpamResult(call.ipam);
  const chosen = [runtimeConfig?.ips, args?.cni?.ips, said.addresses].find((ips) => (ips?.length ?? 0) > 0);
  const gateways = (delegated?.ips ?? []).flatMap(({ gateway }) => gateway ?? []);
  return {
    id: interfaceId(name, container, inside),
    network,
    addresses: delegated?.ips?.map(({ address }) => address) ?? chosen ?? [],
    mac: runtimeConfig?.mac ?? args?.cni?.mac ?? said.mac,
    place: {
      ...{ container, namespace, interface: inside },
      ...{ name: said.podName ?? null, aliases: aliasesOf(configuration, said), labels: labelsOf(said) },
    },
    routes: (delegated?.routes ?? []).map(({ dst, gw }) => ({
      destination: dst,
      gateway: gw ?? gateways.find((gateway) => isIpv6(gateway) === isIpv6(dst)) ?? null,
    })),
    isDefaultGateway: configuration.isDefaultGateway && delegated === undefined,
  };
}

/** Which interface a runtime speaks of. Throws `bad-cni-arguments` where it does not say. */
export function placeOf({ containerId, ifname, netns }: CniCall) {
  if (containerId === undefined || ifname === undefined) {
    throw new WeftError('bad-cni-arguments', 'CNI_CONTAINERID and CNI_IFNAME say which interface: give both');
  }
  return { container: containerId, inside: ifname, namespace: netns ?? '' };
}

/** What policies select a pod by while nothing else is known of it, as Kubernetes' engines note it. Podman names containers in the same way, which are no pods. */
function labelsOf({ podNamespace, podName, podUid }: CniArguments): Labels {
  if (podNamespace === undefined) return {};
  return mergedLabels({
    'io.kubernetes.pod.namespace': podNamespace,
    ...(podName !== undefined && { 'io.kubernetes.pod.name': podName }),
    ...(podUid !== undefined && { 'io.kubernetes.pod.uid': podUid }),
  });
}

/** The pod that a runtime adds; undefined where it does not say which. */
export function podOf({ args }: CniCall): NamedPod | undefined {
  const { podNamespace: namespace, podName: name, podUid: uid } = parseArguments(args ?? '');
  return namespace === undefined || name === undefined ? undefined : { namespace, name, uid };
}

/** What others call it besides: in Kubernetes names of pods are told apart by their namespaces. */
function aliasesOf({ name, runtimeConfig }: Configuration, said: CniArguments): string[] {
  const { aliases = [] } = runtimeConfig ?? {};
  const given = Array.isArray(aliases) ? aliases : (aliases[name] ?? []);
  const { podName, podNamespace } = said;
  const qualified = podName === undefined || podNamespace === undefined ? [] : [`${podName}.${podNamespace}`];
  return [...new Set([...given, ...qualified])].filter((alias) => alias !== podName);
}
