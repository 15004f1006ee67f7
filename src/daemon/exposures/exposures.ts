import { EventEmitter } from 'node:events';
import type { ExposeRequest, Exposure, HideRequest, NameControl } from '../../api/index.js';
import { systemCode, WeftError } from '../../errors.js';
import {
  type Cidr,
  type ExposedSubnet,
  type Firewall,
  type LinkStates,
  type Passage,
  parseCidr,
  subnetOf,
} from '../../hostnet/index.js';
import { DEFAULT_NETWORK } from '../../networks/index.js';
import { Serial } from '../../order.js';
import type { AddressSource } from '../addresses/index.js';
import { parseAddressRequest, parseWantedAddress } from '../addresses/index.js';
import { type Fault, faultOf } from '../repairs/index.js';
import type { Networks, NetworksEvents } from '../segments/index.js';
import type { StateFiles, StoredExposure } from '../state/index.js';
import type { ExposurePlumbing } from './plumbing.js';

/** Whose addresses the host's are. */
const HOLDER = 'weft:expose';
/** Docker may come, or its rules may be made anew: looked for at every so many-th check. */
const ADMIT_EVERY = 5;

export interface ExposuresOptions {
  readonly firewall: Pick<Firewall, 'admit' | 'apply' | 'isIntact' | 'remove' | 'rewrite'>;
  readonly host: ExposurePlumbing;
  readonly networks: Pick<Networks, 'bridge' | 'bridges' | 'number' | 'segment' | 'settle'> &
    Pick<EventEmitter<NetworksEvents>, 'on'>;
  readonly addresses: Pick<AddressSource, 'meant' | 'reclaim' | 'release' | 'take'>;
  readonly file: StateFiles['exposures'];
  readonly names: Pick<NameControl, 'add' | 'remove'>;
  /** Of the bridges, which need it where the host has an IPv6 address: they ask for neighbours from it on behalf of others. */
  readonly linkLocal: Cidr;
}

export interface ExposuresEvents {
  /** The host is on a network, or is no longer. */
  changed: [];
}

/** The host itself on the networks: its addresses on the bridges, and the way out for containers. */
export class Exposures extends EventEmitter<ExposuresEvents> {
  readonly #options: ExposuresOptions;
  readonly #exposed = new Map<string, StoredExposure>();
  #isRestored = false;
  #checks = 0;
  #isFilterIntact = true;
  readonly #work = new Serial();

  constructor(options: ExposuresOptions) {
    super();
    this.#options = options;
    options.networks.on('moved', () => void this.#work.run(() => this.#restoreAddresses()).catch(() => {}));
    // Docker drops what a bridge passes on unless it is let pass: containers must not wait for the next check.
    options.networks.on('bridges', () => void this.#work.run(() => this.#admit()).catch(() => {}));
  }

  /** True while the host is on the network. */
  uses(network: string): boolean {
    return this.list().some((exposure) => exposure.network === network);
  }

  /** True where the host gives its own address to what it forwards to the network. */
  masquerades(network: string): boolean {
    return this.list().some((exposure) => exposure.network === network && exposure.masquerade);
  }

  list(): Exposure[] {
    return [...this.#exposed.values()];
  }

  /** The addresses of the host, by number of the network. */
  addresses(): ReadonlyMap<number, readonly string[]> {
    const found = new Map<number, string[]>();
    for (const { network, address } of this.list()) {
      const number = this.#options.networks.number(network);
      if (number !== undefined) found.set(number, [...(found.get(number) ?? []), address]);
    }
    return found;
  }

  /** Claims all addresses that the host has, now or in earlier runs, so that nobody else is given them. */
  async reclaim(): Promise<void> {
    const { file, addresses } = this.#options;
    const noted = this.#isRestored ? this.list() : (await file.read()).exposures;
    for (const { network, address } of noted) {
      addresses.reclaim({ id: HOLDER, network }, 'this host', [address]);
    }
  }

  /** Puts the host back where it was at the last run. */
  restore(): Promise<void> {
    return this.#work.run(async () => {
      const { exposures } = await this.#options.file.read();
      for (const exposure of exposures) this.#exposed.set(keyOf(exposure), exposure);
      this.#isRestored = true;
      if (exposures.length === 0) return;
      await this.#restoreAddresses();
      await this.#apply();
    });
  }

  /** Rejects as AddressSource does, and with `no-such-network` or `disk-full`: then nothing has changed. */
  expose(request: ExposeRequest): Promise<Exposure[]> {
    const network = request.network ?? DEFAULT_NETWORK;
    const wanted = request.addresses.length === 0 ? ['net:default'] : request.addresses;
    const requests = wanted.map(parseWantedAddress);
    if (request.name !== undefined && network !== DEFAULT_NETWORK) throw nameless(network);
    return this.#work.run(async () => {
      await this.#options.networks.segment(network);
      const addresses = await this.#options.addresses.take({ id: HOLDER, network }, requests);
      const masquerade = request.masquerade ?? true;
      const made = addresses.map((address) => ({ network, address, masquerade, name: request.name ?? null }));
      const before = new Map(this.#exposed);
      try {
        for (const exposure of made) this.#exposed.set(keyOf(exposure), exposure);
        await this.#expose(network, made);
        return made;
      } catch (error) {
        await this.#takeBack(network, made, before).catch(() => {}); // the first failure says why
        throw error;
      }
    });
  }

  /** Rejects with `not-exposed`, `bad-cidr` or `bad-subnet`. */
  hide({ network = DEFAULT_NETWORK, addresses: asked }: HideRequest): Promise<Exposure[]> {
    const requests = asked.map(parseAddressRequest);
    return this.#work.run(async () => {
      const here = this.list().filter((exposure) => exposure.network === network);
      const addresses = here.map(({ address }) => address);
      const meant = requests.map((request) => this.#options.addresses.meant(request, network, addresses));
      const leaving =
        requests.length === 0 ? here : here.filter(({ address }) => meant.flat().includes(address));
      if (leaving.length === 0 || meant.some(({ length }) => length === 0)) throw notExposed(asked, network);
      for (const exposure of leaving) this.#exposed.delete(keyOf(exposure));
      try {
        await this.#leave(network, leaving);
        await this.#save();
      } catch (error) {
        for (const exposure of leaving) this.#exposed.set(keyOf(exposure), exposure);
        await this.#enter(network, leaving).catch(() => {}); // the first failure says why
        throw error;
      }
      await this.#release(network, leaving);
      for (const exposure of leaving) await this.#unname(exposure);
      return this.list();
    });
  }

  /** Looks after the packet filter. */
  check(): Promise<void> {
    return this.#work.run(async () => {
      this.#isFilterIntact = await this.#options.firewall.isIntact();
      this.#checks += 1;
      if (this.#checks % ADMIT_EVERY === 1) await this.#admit();
    });
  }

  /** What somebody took from the host's place on the networks; of the packet filter, what the last look found. */
  faults(links: LinkStates): Fault[] {
    const { firewall } = this.#options;
    const rewrite = async () => {
      await firewall.rewrite();
      this.#isFilterIntact = true;
    };
    const filtered = this.#isFilterIntact
      ? []
      : [faultOf(`the rules of weft in the packet filter are not those that it wrote`, rewrite)];
    const { exposed } = this.#passage();
    const forwarding = this.#options.host
      .forwardingFlaws(exposed)
      .map((name) =>
        faultOf(`${name} is 0, so that containers do not reach outside`, () =>
          this.#options.host.forwardPackets(exposed),
        ),
      );
    const faults = [
      ...filtered,
      ...forwarding,
      ...this.list().flatMap((each) => this.#addressFaults(each, links)),
    ];
    // Addresses of one bridge share what they need.
    const distinct = [...new Map(faults.map((fault) => [fault.key, fault])).values()];
    return distinct.map((fault) => ({ ...fault, repair: () => this.#work.run(fault.repair) }));
  }

  /** Of a bridge that runs: of another one the kernel does not tell, and has no routes. */
  #addressFaults({ network, address }: StoredExposure, links: LinkStates): Fault[] {
    const bridge = this.#options.networks.bridge(network);
    const state = links.of(bridge);
    if (state?.isRunning !== true) return [];
    const cidr = parseCidr(address);
    const found = this.#options.host.addressesOn(bridge);
    const lost = this.#needed([cidr]).filter(({ text }) => !found.has(text));
    const [first] = lost;
    if (first !== undefined) {
      const what = `the address ${first.text} of this host is gone from ${bridge}`;
      return [faultOf(what, () => this.#options.host.exposeAddresses(bridge, lost))];
    }
    if (this.#options.host.hasRoute(bridge, cidr)) return [];
    return [
      faultOf(`the route to ${subnetOf(address)} on ${bridge} is gone`, () =>
        this.#options.host.restoreRoute(bridge, cidr),
      ),
    ];
  }

  /** What a bridge must have so that the host has these addresses. */
  #needed(cidrs: readonly Cidr[]): readonly Cidr[] {
    const { linkLocal } = this.#options;
    return cidrs.some(({ family }) => family === 'inet6') ? [...cidrs, linkLocal] : cidrs;
  }

  /** Takes our rules out of the packet filter. */
  remove(): Promise<void> {
    return this.#work.run(() => withoutNft(this.#options.firewall.remove()));
  }

  /** On the disk first: a router that is killed meanwhile goes on with it when it is launched again. */
  async #expose(network: string, made: readonly StoredExposure[]): Promise<void> {
    await this.#save();
    await this.#enter(network, made);
    const name = made[0]?.name ?? null;
    if (name === null) return;
    await this.#options.names.add({ container: HOLDER, name, addresses: hosts(made) });
  }

  /** Undoes what was begun to be exposed. */
  async #takeBack(
    network: string,
    made: readonly StoredExposure[],
    before: ReadonlyMap<string, StoredExposure>,
  ): Promise<void> {
    for (const exposure of made) {
      const former = before.get(keyOf(exposure));
      if (former === undefined) this.#exposed.delete(keyOf(exposure));
      else this.#exposed.set(keyOf(exposure), former);
    }
    const added = made.filter((exposure) => !before.has(keyOf(exposure)));
    await this.#leave(network, added);
    await this.#release(network, added);
    await this.#save();
  }

  /** Brings addresses onto the bridge, and rules for them. */
  async #enter(network: string, exposures: readonly StoredExposure[]): Promise<void> {
    const { host, networks } = this.#options;
    await host.exposeAddresses(networks.bridge(network), this.#needed(exposures.map(cidrOf)));
    networks.settle(network);
    await this.#apply();
  }

  async #leave(network: string, exposures: readonly StoredExposure[]): Promise<void> {
    const { host, networks } = this.#options;
    const left = this.list().filter((exposure) => exposure.network === network);
    const needed = this.#needed(left.map(cidrOf)).map(({ text }) => text);
    const leaving = this.#needed(exposures.map(cidrOf)).filter(({ text }) => !needed.includes(text));
    await host.hideAddresses(networks.bridge(network), leaving);
    networks.settle(network);
    await this.#apply();
  }

  async #release(network: string, exposures: readonly StoredExposure[]): Promise<void> {
    const addresses = exposures.map(({ address }) => address);
    await this.#options.addresses.release({ id: HOLDER, network }, addresses);
  }

  /** A name that somebody removed meanwhile is no matter. */
  async #unname(exposure: StoredExposure): Promise<void> {
    if (exposure.name === null) return;
    const request = { container: HOLDER, name: exposure.name, addresses: hosts([exposure]) };
    await this.#options.names.remove(request).catch(() => {});
  }

  async #restoreAddresses(): Promise<void> {
    for (const { network, address } of this.list()) {
      const { bridge } = await this.#options.networks.segment(network);
      await this.#options.host.exposeAddresses(bridge, this.#needed([parseCidr(address)]));
    }
  }

  async #save(): Promise<void> {
    await this.#options.file.write(() => ({ exposures: this.list() }));
  }

  async #apply(): Promise<void> {
    const passage = this.#passage();
    if (passage.exposed.length > 0) await this.#options.firewall.apply(passage);
    else await withoutNft(this.#options.firewall.apply(passage));
    this.emit('changed');
  }

  async #admit(): Promise<void> {
    await withoutNft(this.#options.firewall.admit(this.#passage()));
  }

  #passage(): Passage {
    const { networks } = this.#options;
    const exposed = new Map<string, ExposedSubnet>();
    for (const { network, address, masquerade } of this.list()) {
      const [bridge, subnet] = [networks.bridge(network), subnetOf(address)];
      const known = exposed.get(`${bridge} ${subnet}`);
      exposed.set(`${bridge} ${subnet}`, {
        bridge,
        subnet,
        masquerade: masquerade || known?.masquerade === true,
      });
    }
    return { bridges: networks.bridges(), exposed: [...exposed.values()] };
  }
}

function cidrOf({ address }: StoredExposure): Cidr {
  return parseCidr(address);
}

function hosts(exposures: readonly StoredExposure[]): string[] {
  return exposures.map((exposure) => cidrOf(exposure).address);
}

function nameless(network: string): WeftError {
  return new WeftError(
    'bad-name',
    `a host has names on the default network only, not on ${network}: leave -h out`,
  );
}

function keyOf({ network, address }: StoredExposure): string {
  return `${network} ${address}`;
}

/** A host without nft has no rules that could be in our way. */
async function withoutNft(work: Promise<void>): Promise<void> {
  await work.catch((error: unknown) => {
    if (systemCode(error) !== 'command-missing') throw error;
  });
}

function notExposed(addresses: readonly string[], network: string): WeftError {
  const what = addresses.length === 0 ? 'no address' : `not ${addresses.join(' ')}`;
  return new WeftError(
    'not-exposed',
    `this host has ${what} on the network ${network}: \`weft status\` shows what it has`,
  );
}
