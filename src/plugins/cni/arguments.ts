import { WeftError } from '../../errors.js';
import { printable } from '../../text/index.js';

/** What `CNI_ARGS` says of a container; runtimes put what they like beside it. */
export interface CniArguments {
  /** Of Kubernetes' pod, or what Podman calls the container. */
  readonly podName: string | undefined;
  readonly podNamespace: string | undefined;
  readonly podUid: string | undefined;
  readonly addresses: readonly string[];
  readonly mac: string | undefined;
}

const KNOWN = new Set([
  ...['IgnoreUnknown', 'IP', 'MAC'],
  ...['K8S_POD_NAME', 'K8S_POD_NAMESPACE', 'K8S_POD_UID', 'K8S_POD_INFRA_CONTAINER_ID'],
]);

/** Reads `KEY=VALUE;KEY=VALUE`. Throws `bad-cni-arguments`; for keys that are not known unless `IgnoreUnknown` is among them. */
export function parseArguments(text: string): CniArguments {
  const pairs = new Map(
    text
      .split(';')
      .filter((pair) => pair !== '')
      .map(keyAndValue),
  );
  const unknown = [...pairs.keys()].find((key) => !KNOWN.has(key));
  if (unknown !== undefined && !['1', 'true'].includes(pairs.get('IgnoreUnknown')?.toLowerCase() ?? '')) {
    throw bad(`it has the key "${printable(unknown)}", which weft does not know, and no IgnoreUnknown=1`);
  }
  const given = (key: string) => pairs.get(key) || undefined;
  return {
    podName: given('K8S_POD_NAME'),
    podNamespace: given('K8S_POD_NAMESPACE'),
    podUid: given('K8S_POD_UID'),
    addresses: given('IP')?.split(',') ?? [],
    mac: given('MAC'),
  };
}

function keyAndValue(pair: string): [string, string] {
  const end = pair.indexOf('=');
  if (end > 0) return [pair.slice(0, end), pair.slice(end + 1)];
  throw bad(`"${printable(pair)}" is not KEY=VALUE`);
}

function bad(why: string): WeftError {
  return new WeftError('bad-cni-arguments', `CNI_ARGS: ${why}`);
}
