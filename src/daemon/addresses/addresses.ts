import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { AddressControl, AddressOwner, Ipam, PrimeRequest } from '../../api/index.js';
import { messageOf, systemCode, WeftError } from '../../errors.js';
import type { OpenChannel } from '../../gossip/index.js';
import type { Identity, PeerId } from '../../identity/index.js';
import { type AddressAllocator, AddressService, LONGEST_ABSENCE, type OwnerView } from '../../ipam/index.js';
import type { Mesh } from '../../mesh/index.js';
import { localAddresses, parseHostPort, resolveHostPort } from '../../net/index.js';
import { errorFields, type Log } from '../logging/index.js';
import { nameOf } from '../membership/index.js';
import type { StateFiles } from '../state/index.js';
import { Abandoned } from './abandoned.js';
import { countNamed, Founding } from './founding.js';
import type { AddressPlan } from './ipalloc.js';
import { type MovedRanges, movedRanges } from './moved-ranges.js';
import type { Ring } from './ring-files.js';

/** Of messages between the parts of the ring. */
const CHANNEL = 'addresses';
const BEAT = 1_000;
/** A removed peer may still believe for so long, after it was last seen, that it goes on with what it owned. */
const REMOVAL_PAUSE = (LONGEST_ABSENCE + 5) * 1_000;
/** Between two looks for what nobody takes over, in beats. */
const LOOK = 5;
/** Who asks for the ring waits for so long at most; then he may ask again. */
const PRIME_PATIENCE = 8_000;
/** Whoever leaves gets so long to find an heir. */
const LEAVE_PATIENCE = 6_000;
/** Before a name is looked up again that no DNS server told of. */
const NAME_PAUSE = 2_000;

export interface AddressesOptions {
  readonly identity: Identity;
  readonly mesh: Mesh;
  readonly plan: AddressPlan;
  readonly ring: Ring;
  readonly targets: readonly string[];
  readonly file: StateFiles['vote'];
  readonly log: Log;
}

export interface AddressesEvents {
  /** Some address in use here is not known to be in use any more. */
  lost: [];
  /** Addresses came to this router from another one, or went to it. */
  moved: [ranges: MovedRanges];
}

/** The router's part in the ring of addresses: kept on disk, told to others, begun, left and taken over. */
export class Addresses extends EventEmitter<AddressesEvents> implements AddressAllocator, AddressControl {
  readonly #options: AddressesOptions;
  readonly #service: AddressService;
  readonly #founding: Founding;
  readonly #stopping = new AbortController();
  /** When messages got to a peer last, of `performance.now()`. */
  readonly #seen = new Map<PeerId, number>();
  readonly #abandoned = new Abandoned(REMOVAL_PAUSE);
  /** Peers whose addresses are being taken over. */
  readonly #takingOver = new Set<PeerId>();
  #beats = 0;
  #channel: OpenChannel | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: AddressesOptions) {
    super();
    this.#options = options;
    const { identity, mesh, plan, ring, targets, file, log } = options;
    const { range, defaultSubnet, ula, init } = plan;
    this.#service = new AddressService({
      identity,
      range,
      defaultSubnet,
      ula,
      state: ring.state,
      continued: ring.continued,
      save: (state) => ring.files.save(state),
      transport: {
        send: (peer, bytes) => void mesh.send(peer, CHANNEL, bytes),
        reachable: (peer) => mesh.reachable(peer),
        neighbours: () => this.#reachable(),
        nameOf: (peer) => nameOf(mesh.members(), peer),
        changed: () => this.#channel?.changed(),
      },
      now: Date.now,
      random: Math.random,
      onLost: (owner, address, to) => {
        log.warn(`${address} of ${owner} belongs to another router now, claiming it again`, {
          owner,
          address,
          peer: to,
        });
        this.emit('lost');
      },
      onMoved: (moves) => {
        for (const ranges of movedRanges(identity.peer, moves)) this.emit('moved', ranges);
      },
      onWarning: (error, peer) => log.warn(error.message, { code: error.code, ...(peer && { peer }) }),
    });
    this.#founding = new Founding({
      identity,
      mesh,
      init,
      named: () => countNamed(targets, localAddresses(), (target) => this.#addressesOf(target)),
      file,
      isFounded: () => this.#service.view().founders.length > 0,
      found: (founders) => this.#service.found(founders),
      onFailure: (error) =>
        log.error(`it cannot be agreed who shares the addresses: ${String(error)}`, errorFields(error)),
    });
  }

  /** Before the mesh starts, which is listened to from now on. */
  async start(): Promise<void> {
    const { identity, mesh } = this.#options;
    this.#channel = mesh.openChannel(this.#service.channel);
    mesh.on('message', (peer, channel, bytes) => {
      if (channel === CHANNEL) this.#service.receive(peer, bytes);
    });
    mesh.on('link-up', ({ peer }) => this.#onReached(peer));
    mesh.on('member', ({ peer, self }) => {
      if (!self && mesh.reachable(peer)) this.#onReached(peer);
    });
    mesh.on('removed', (peer, by) => {
      // What a dead peer owned becomes ours, when it was us who removed it.
      if (by === identity.peer && peer !== by) void this.#takeOver(peer);
    });
    this.#service.start();
    await this.#founding.start();
    this.#timer = setInterval(() => this.#beat(), BEAT);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopping.abort();
    await this.#founding.stop();
    await this.#service.stop();
    this.#channel?.close();
  }

  /** Gives all addresses away, for good; what became of it in words when that cannot be. */
  async leave(): Promise<string | null> {
    try {
      await this.#service.leave(AbortSignal.timeout(LEAVE_PATIENCE));
      return null;
    } catch (error) {
      if (systemCode(error) === 'no-addresses') return null; // it never had any
      const { identity } = this.#options;
      return `its addresses were not given away (${messageOf(error)}): run \`weft rmpeer ${identity.peer}\` on another host`;
    }
  }

  allocate(owner: string, subnet?: string, signal?: AbortSignal): Promise<readonly string[]> {
    return this.#explained(this.#service.allocate(owner, subnet, signal));
  }

  allocateOne(owner: string, subnet: string, signal?: AbortSignal): Promise<string> {
    return this.#explained(this.#service.allocateOne(owner, subnet, signal));
  }

  claim(owner: string, address: string, signal?: AbortSignal): Promise<void> {
    return this.#explained(this.#service.claim(owner, address, signal));
  }

  release(owner: string, addresses?: readonly string[]): Promise<void> {
    return this.#service.release(owner, addresses);
  }

  within(addresses: readonly string[], subnet?: string): readonly string[] {
    return this.#service.within(addresses, subnet);
  }

  lookup(owner: string): readonly string[] {
    return this.#service.lookup(owner);
  }

  status(): Ipam {
    const { plan } = this.#options;
    const { range, founders, owned, allocated, pending, waitingFor, inDoubt, requests, owners } =
      this.#service.view();
    return {
      range,
      defaultSubnet: plan.defaultSubnet.text,
      range6: plan.ula?.range ?? null,
      founders: [...founders],
      owned,
      allocated,
      pending,
      waitingFor: waitingFor.map((peer) => ({ peer, nickname: this.#nicknameOf(peer) })),
      inDoubt,
      requests,
      note: this.#founding.note ?? this.#doubt(inDoubt, waitingFor),
      owners: owners.map((owner) => this.#ownerView(owner)),
    };
  }

  /** What a router owns, as people write it, in order. */
  rangesOf(peer: PeerId): readonly string[] {
    return this.#service.rangesOf(peer);
  }

  async prime({ force = false }: PrimeRequest): Promise<Ipam> {
    const deadline = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(PRIME_PATIENCE)]);
    try {
      await this.#service.prime(deadline);
      if (force) await this.#service.force();
      while (this.#service.view().inDoubt) await delay(100, undefined, { signal: deadline });
    } catch (error) {
      if (!deadline.aborted) throw error;
    }
    return this.status();
  }

  /** Before there is a ring, what is missing for one says more than that time ran out. */
  async #explained<T>(request: Promise<T>): Promise<T> {
    try {
      return await request;
    } catch (error) {
      const { note } = this.#founding;
      if (note === null || !['cancelled', 'not-in-time', 'no-addresses'].includes(systemCode(error) ?? ''))
        throw error;
      throw new WeftError(
        'no-addresses',
        `no addresses can be handed out yet: ${note} (\`weft prime\` waits for it)`,
        {
          cause: error,
        },
      );
    }
  }

  #doubt(inDoubt: boolean, waitingFor: readonly PeerId[]): string | null {
    if (!inDoubt) return null;
    const names = waitingFor.map((peer) => nameOf(this.#options.mesh.members(), peer)).join(', ');
    return `this host was away: what it owned is its own again once ${names} confirmed it; if they are gone for good, \`weft rmpeer\` them, or \`weft prime --force\` if the disk of this host is surely the last one`;
  }

  #ownerView({ peer, ...owner }: OwnerView): AddressOwner {
    return { ...owner, peer, nickname: this.#nicknameOf(peer) };
  }

  #nicknameOf(peer: PeerId): string {
    return this.#options.mesh.member(peer)?.nickname ?? '';
  }

  #reachable(): PeerId[] {
    const { mesh } = this.#options;
    return mesh
      .members()
      .flatMap(({ peer, self, left }) => (self || left || !mesh.reachable(peer) ? [] : [peer]));
  }

  /** Noted at once: it may be gone before the next beat. */
  #onReached(peer: PeerId): void {
    this.#seen.set(peer, performance.now());
    this.#service.reached(peer);
  }

  #beat(): void {
    const now = performance.now();
    for (const peer of this.#reachable()) this.#seen.set(peer, now);
    this.#beats += 1;
    if (this.#beats % LOOK === 0) this.#takeOverAbandoned(now);
    const { ring, log } = this.#options;
    ring.files
      .beat()
      .catch((error: unknown) => log.debug(`no witness: ${String(error)}`, errorFields(error)));
  }

  #takeOverAbandoned(now: number): void {
    const { identity, mesh } = this.#options;
    const { owners, participants } = this.#service.view();
    // A founder may own addresses without having participated; and one without addresses is waited for, too.
    const present = owners.flatMap(({ peer, heir }) => (heir === null ? [peer] : []));
    const isRemoved = (peer: PeerId) => peer !== identity.peer && !mesh.admits(peer);
    const removed = new Set([...present, ...participants].filter(isRemoved));
    const rank = this.#reachable().filter((peer) => peer < identity.peer).length;
    for (const peer of this.#abandoned.due(removed, rank, now)) void this.#takeOver(peer);
  }

  async #takeOver(peer: PeerId): Promise<void> {
    if (this.#takingOver.has(peer)) return;
    this.#takingOver.add(peer);
    const { log } = this.#options;
    const { signal } = this.#stopping;
    const silent = performance.now() - (this.#seen.get(peer) ?? 0);
    try {
      await delay(Math.max(0, REMOVAL_PAUSE - silent), undefined, { signal });
      await this.#service.remove(peer, signal);
      log.info('took over the addresses of a removed peer', { peer });
    } catch (error) {
      if (!signal.aborted)
        log.warn(`its addresses stay where they are: ${String(error)}`, { peer, ...errorFields(error) });
    } finally {
      this.#takingOver.delete(peer);
    }
  }

  /** All addresses of a host as a target names it; none when nobody knows it. While no DNS server answers and no router is met, it is asked again. */
  async #addressesOf(target: string): Promise<string[]> {
    const { signal } = this.#stopping;
    for (;;) {
      try {
        return (await resolveHostPort(parseHostPort(target))).map(({ host }) => host);
      } catch (error) {
        if (systemCode(error) !== 'name-unanswered' || this.#reachable().length > 0) return [];
      }
      await delay(NAME_PAUSE, undefined, { signal });
    }
  }
}
