import ipaddr from 'ipaddr.js';
import type { Labels } from '../../labels.js';
import { withoutLength } from '../../net/index.js';
import { DEFAULT_NAMESPACE, type NamedPort, type Pod, PROTOCOLS } from '../../policy/index.js';
import type { AttachedEndpoint, Attachments } from '../attachments/index.js';
import type { Endpoints } from '../mac-routes/index.js';

/** What Kubernetes' engines note about their containers; without it, a container is in `default`. */
const NAMESPACE_LABEL = 'io.kubernetes.pod.namespace';
/** `port.weft/http=8080`: a port of the container by a name. */
const NAMED_PORT = /^port\.weft\/([a-z0-9-]{1,15})$/;
const PORT = /^(\d{1,5})(?:\/([A-Z]+))?$/;

/** Gives what people call who has an address on a network. */
export type NameOf = (network: number, address: string) => string | undefined;

/** The containers of all hosts as policies see them, an interface each: what their hosts announce of them. */
export class Pods {
  readonly #endpoints: Pick<Endpoints, 'all' | 'isHost'>;
  #attachments: Pick<Attachments, 'endpoints'> | undefined;

  constructor(endpoints: Pick<Endpoints, 'all' | 'isHost'>) {
    this.#endpoints = endpoints;
  }

  /** The containers of this host are these. */
  follow(attachments: Pick<Attachments, 'endpoints'>): void {
    this.#attachments = attachments;
  }

  /** Who has no name is called by an address. */
  all(nameOf: NameOf = () => undefined): Pod[] {
    const here = this.#attachments?.endpoints() ?? [];
    const interfaces = new Map(here.map((endpoint) => [`${endpoint.network}/${endpoint.mac}`, endpoint]));
    const sources = new Map<string, string[]>();
    for (const endpoint of here) {
      const holder = holderOf(endpoint);
      sources.set(holder, [...(sources.get(holder) ?? []), ...endpoint.addresses.map(canonical)]);
    }
    const pods = this.#endpoints.all().filter((endpoint) => !this.#endpoints.isHost(endpoint));
    return pods.map(({ network, mac, addresses, labels }) => {
      const own = interfaces.get(`${network}/${mac}`);
      return {
        namespace: labels[NAMESPACE_LABEL] ?? DEFAULT_NAMESPACE,
        name: addresses.map((address) => nameOf(network, address)).find(Boolean) ?? addresses[0] ?? mac,
        labels,
        network,
        addresses,
        namedPorts: namedPorts(labels),
        sources: own === undefined ? [] : (sources.get(holderOf(own)) ?? []),
        interface: own?.port,
      };
    });
  }
}

/** What a container has on a network all its interfaces there may send from. */
function holderOf({ network, containers: [{ id }] }: AttachedEndpoint): string {
  return `${network} ${id}`;
}

function canonical(cidr: string): string {
  return ipaddr.parse(withoutLength(cidr)).toString();
}

function namedPorts(labels: Labels): NamedPort[] {
  return Object.entries(labels).flatMap(([key, value]) => {
    const [, name] = NAMED_PORT.exec(key) ?? [];
    const [, number, called = 'TCP'] = PORT.exec(value) ?? [];
    const protocol = PROTOCOLS.find((each) => each === called);
    if (name === undefined || number === undefined || protocol === undefined) return [];
    return [{ name, protocol, port: Number(number) }];
  });
}
