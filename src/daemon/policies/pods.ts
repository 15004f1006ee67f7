import ipaddr from 'ipaddr.js';
import type { Labels } from '../../labels.js';
import { withoutLength } from '../../net/index.js';
import { DEFAULT_NAMESPACE, type NamedPort, type Pod, PROTOCOLS } from '../../policy/index.js';
import type { AttachedEndpoint, Attachments } from '../attachments/index.js';
import type { Endpoints } from '../mac-routes/index.js';
import { ScheduledPods } from './scheduled-pods.js';
import { NO_SCHEDULER, type ScheduledPod, type Scheduler } from './scheduler.js';

/** Where a scheduler's pods are that nobody announced yet. */
const DEFAULT_NETWORK = 0;
/** What Kubernetes' engines note about their containers; without it, a container is in `default`. */
const NAMESPACE_LABEL = 'io.kubernetes.pod.namespace';
/** `port.weft/http=8080`: a port of the container by a name. */
const NAMED_PORT = /^port\.weft\/([a-z0-9-]{1,15})$/;
const PORT = /^(\d{1,5})(?:\/([A-Z]+))?$/;

/** Gives what people call who has an address on a network. */
export type NameOf = (network: number, address: string) => string | undefined;

/** The containers of all hosts as policies see them, an interface each: what their hosts announce of them, and what a scheduler says of its pods. */
export class Pods {
  readonly #endpoints: Pick<Endpoints, 'all' | 'isHost'>;
  readonly #scheduler: Scheduler;
  #attachments: Pick<Attachments, 'endpoints'> | undefined;

  constructor(endpoints: Pick<Endpoints, 'all' | 'isHost'>, scheduler = NO_SCHEDULER) {
    this.#endpoints = endpoints;
    this.#scheduler = scheduler;
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
    const scheduled = new ScheduledPods(this.#scheduler.pods.values());
    const endpoints = this.#endpoints.all();
    const announced = endpoints.filter((endpoint) => !this.#endpoints.isHost(endpoint));
    const pods = announced.map(({ network, mac, addresses, labels }) => {
      const own = interfaces.get(`${network}/${mac}`);
      const known = scheduled.find({ addresses, labels, isOurs: own !== undefined });
      const name = addresses.map((address) => nameOf(network, address)).find(Boolean) ?? addresses[0] ?? mac;
      return {
        ...saidOf(known, name, labels),
        network,
        addresses,
        sources: own === undefined ? [] : (sources.get(holderOf(own)) ?? []),
        interface: own?.port,
      };
    });
    const heard = new Set(endpoints.flatMap(({ addresses }) => addresses));
    const others = scheduled.elsewhere((address) => heard.has(address)).map(unheard);
    return [...pods, ...others];
  }
}

/** What policies select it by. A scheduler knows its pods better than their runtimes do. */
function saidOf(pod: ScheduledPod | undefined, name: string, labels: Labels) {
  return {
    namespace: pod?.namespace ?? labels[NAMESPACE_LABEL] ?? DEFAULT_NAMESPACE,
    name: pod?.name ?? name,
    labels: { ...labels, ...pod?.labels },
    namedPorts: [...namedPorts(labels), ...(pod?.namedPorts ?? [])],
  };
}

/** A pod that its host has not announced yet, or that is on a host without weft. */
function unheard({ namespace, name, labels, addresses, namedPorts }: ScheduledPod): Pod {
  const where = { network: DEFAULT_NETWORK, sources: [], interface: undefined };
  return { namespace, name, labels, addresses, namedPorts, ...where };
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
