import { existsSync } from 'node:fs';
import { WeftError } from '../errors.js';
import {
  containerOf,
  type EngineContainer,
  type EngineNetwork,
  type EngineSubnet,
  idsOf,
  imageLabelsOf,
  madeOf,
  networkOf,
  networksOf,
  writtenSubnet,
} from './answers.js';
import { type EngineEvent, eventLines, eventOf, WANTED } from './events.js';
import { type Question, Transport } from './transport.js';

const SOCKETS = ['/var/run/docker.sock', '/run/podman/podman.sock'];
/** Engines ask a network's driver before they answer, ms. */
const WITH_DRIVER = 30_000;

/** The sockets of the engines that this host may have: what DOCKER_HOST says, else where Docker and Podman listen. */
export function engineSockets(environment: NodeJS.ProcessEnv = process.env): string[] {
  const chosen = environment.DOCKER_HOST;
  if (chosen === undefined || chosen === '') return SOCKETS;
  return chosen.startsWith('unix://') ? [chosen.slice('unix://'.length)] : [];
}

/** How a network is to be made. */
export interface NetworkRequest {
  readonly name: string;
  readonly driver: string;
  readonly ipamDriver: string;
  readonly subnets: readonly EngineSubnet[];
  readonly options: Readonly<Record<string, string>>;
  readonly ipv6: boolean;
}

/** One engine. What asks it rejects with `engine-absent`, `engine-failed` or `engine-answer`. */
export class Engine {
  readonly #transport: Transport;

  constructor(readonly socket: string) {
    this.#transport = new Transport(socket);
  }

  /** It may answer: its socket is there. Costs next to nothing where it is not. */
  get isHere(): boolean {
    return existsSync(this.socket);
  }

  /** Finds a container by name or (the beginning of its) id; undefined when there is none. */
  async inspect(container: string): Promise<EngineContainer | undefined> {
    const answer = await this.#ask({ path: `/containers/${encodeURIComponent(container)}/json` });
    return answer === undefined ? undefined : containerOf(answer);
  }

  /** The ids of the containers that have a process, paused ones among them, and of those only that have the label if one is given. */
  async running(label?: string): Promise<string[]> {
    const filters = label === undefined ? {} : { label: [label] };
    return idsOf((await this.#ask({ path: filtered('/containers/json', filters) })) ?? []);
  }

  /** The labels of an image; of one that is gone nothing is known. */
  async imageLabels(image: string): Promise<Readonly<Record<string, string>>> {
    return imageLabelsOf((await this.#ask({ path: `/images/${encodeURIComponent(image)}/json` })) ?? {});
  }

  /** Finds a network by id or name; undefined when there is none. */
  async network(network: string): Promise<EngineNetwork | undefined> {
    const answer = await this.#ask({ path: `/networks/${encodeURIComponent(network)}` });
    return answer === undefined ? undefined : networkOf(answer);
  }

  /** All networks, whatever their driver. */
  async networks(): Promise<Pick<EngineNetwork, 'id' | 'name'>[]> {
    return networksOf((await this.#ask({ path: '/networks' })) ?? []);
  }

  /** Makes a network; gives its id. */
  async createNetwork(request: NetworkRequest): Promise<string> {
    const { name, driver, ipamDriver, subnets, options, ipv6 } = request;
    const content = {
      Name: name,
      CheckDuplicate: true, // else older engines make another one of that name
      Driver: driver,
      EnableIPv6: ipv6,
      IPAM: { Driver: ipamDriver, Config: subnets.map(writtenSubnet) },
      Options: options,
    };
    const path = '/networks/create';
    return madeOf(await this.#ask({ method: 'POST', path, content, within: WITH_DRIVER }));
  }

  /** Removes a network, if it is there. */
  async removeNetwork(network: string): Promise<void> {
    const path = `/networks/${encodeURIComponent(network)}`;
    await this.#ask({ method: 'DELETE', path, within: WITH_DRIVER });
  }

  /** Events from now on, until the signal or the engine ends it. Throws when the engine does not answer. */
  async *events(signal: AbortSignal): AsyncGenerator<EngineEvent> {
    this.#mustBeHere();
    const pieces = await this.#transport.follow(filtered('/events', WANTED), signal);
    yield { kind: 'connected' };
    for await (const line of eventLines(pieces)) {
      const event = eventOf(line);
      if (event !== undefined) yield event;
    }
  }

  async #ask(question: Question): Promise<unknown> {
    this.#mustBeHere();
    return await this.#transport.ask(question);
  }

  /** Saves what is needed to speak to one. */
  #mustBeHere(): void {
    if (!this.isHere) throw new WeftError('engine-absent', `no container engine listens at ${this.socket}`);
  }
}

function filtered(path: string, filters: Readonly<Record<string, readonly string[]>>): string {
  return `${path}?filters=${encodeURIComponent(JSON.stringify(filters))}`;
}
