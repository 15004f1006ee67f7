import type { Labels } from '../../labels.js';
import { DEFAULT_NAMESPACE, type NamedPort, type Pod, PROTOCOLS } from '../../policy/index.js';
import type { Attachments } from '../attachments/index.js';
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
    const ports = new Map(here.map(({ network, mac, port }) => [`${network}/${mac}`, port]));
    const pods = this.#endpoints.all().filter((endpoint) => !this.#endpoints.isHost(endpoint));
    return pods.map(({ network, mac, addresses, labels }) => ({
      namespace: labels[NAMESPACE_LABEL] ?? DEFAULT_NAMESPACE,
      name: addresses.map((address) => nameOf(network, address)).find(Boolean) ?? addresses[0] ?? mac,
      labels,
      network,
      addresses,
      namedPorts: namedPorts(labels),
      interface: ports.get(`${network}/${mac}`),
    }));
  }
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
