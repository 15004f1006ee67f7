import type { HostDetails, InterfaceView } from '../../api/status/index.js';
import type { Endpoint } from '../../endpoints/index.js';
import type { PeerId } from '../../identity/index.js';
import { labelTexts } from '../../labels.js';

/** Maximum number of interfaces and of names of one router that are told. */
const MAX_TOLD = 1_000;

type NamedAddresses = HostDetails['names'][number];

/** Puts together what is known of the containers of a router. */
export function hostDetails(facts: {
  readonly peer: PeerId;
  readonly endpoints: readonly Endpoint[];
  readonly names: readonly NamedAddresses[];
  readonly networkName: (number: number) => string;
  readonly owned: HostDetails['owned'];
  readonly ciphers: readonly string[];
}): HostDetails {
  const { peer, networkName, names, owned, ciphers } = facts;
  const endpoints = facts.endpoints.filter((endpoint) => endpoint.peer === peer);
  const namesOf = byAddress(names);
  return {
    interfaces: endpoints
      .slice(0, MAX_TOLD)
      .map((endpoint) => interfaceView(endpoint, networkName(endpoint.network), namesOf)),
    names: names.slice(0, MAX_TOLD),
    omitted: {
      interfaces: Math.max(0, endpoints.length - MAX_TOLD),
      names: Math.max(0, names.length - MAX_TOLD),
    },
    owned,
    ciphers,
  };
}

function interfaceView(
  { mac, addresses, labels }: Endpoint,
  network: string,
  namesOf: ReadonlyMap<string, readonly string[]>,
): InterfaceView {
  const names = new Set(addresses.flatMap((address) => namesOf.get(`${network} ${address}`) ?? []));
  return { names: [...names], network, mac, addresses, labels: labelTexts(labels) };
}

function byAddress(names: readonly NamedAddresses[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { name, network, addresses } of names) {
    for (const address of addresses) {
      const key = `${network} ${address}`;
      const known = found.get(key);
      if (known === undefined) found.set(key, [name]);
      else known.push(name);
    }
  }
  return found;
}
