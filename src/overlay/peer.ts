import type { Clock } from '../clock.js';
import { WeftError } from '../errors.js';
import type { PeerId, PublicKey } from '../identity/index.js';
import { parseHostPort } from '../net/index.js';
import { candidatesOf } from './path/index.js';
import type { DataPlaneKeyState, DataPlanePeerState, OverlayMesh, PeerSetting } from './port/index.js';
import type { Reconciler } from './reconciler.js';
import { SESSION_CHANNEL, type Session, type SessionAction } from './session/index.js';
import type { OverlayTimings } from './types.js';

/** What a peer needs of the overlay that it belongs to. */
export interface PeerContext {
  readonly mesh: OverlayMesh;
  readonly clock: Clock;
  readonly timings: Pick<OverlayTimings, 'deadPeer' | 'keepalive'>;
  readonly reconciler: Reconciler;
  readonly openSession: (remote: PublicKey) => Session;
  /** The relay for a peer's packets; null for none. */
  readonly nextHop: (peer: PeerId) => PeerId | null;
  /** The data plane has a new key. */
  readonly onKey: (peer: Peer, key: { readonly cipher: string; readonly role: Session['role'] }) => void;
  /** Neither control messages nor packets reached the peer for `deadPeer`. */
  readonly onDead: (peer: Peer) => void;
  /** A message was not sent: no route to the peer is known. */
  readonly onUnsent: () => void;
  readonly onWarning: (error: WeftError, peer: PeerId) => void;
}

type InstallAction = Extract<SessionAction, { do: 'install' }>;

/** A peer that the data plane has or shall have: its session, what the data plane was told about it, and when to act next. */
export class Peer {
  readonly id: PeerId;
  readonly #context: PeerContext;
  /** Undefined until a member record tells the public key of a peer that was found in the data plane. */
  #session: Session | undefined;
  /** Keys that were found in the data plane before the session was there, and when. */
  #found: { readonly keys: readonly DataPlaneKeyState[]; readonly at: number } | undefined;
  /** As the peer said in the last key agreement. */
  #networks: readonly number[] = [];
  #endpoints: readonly string[] = [];
  #up = false;
  #wasUp = false;
  #reachable = false;
  /** Since when neither control messages nor packets get there. */
  #deadSince: number | undefined;
  /** What the data plane was told last, so that it is told only news. */
  #told: string | undefined;
  #cancelTimer = () => {};
  #removed = false;

  constructor(id: PeerId, context: PeerContext) {
    this.id = id;
    this.#context = context;
  }

  /** Packets get there. */
  get up(): boolean {
    return this.#up;
  }

  /** Packets got there at some time. */
  get wasUp(): boolean {
    return this.#wasUp;
  }

  /** Control messages get there. */
  get reachable(): boolean {
    return this.#reachable;
  }

  /** IP addresses at which the data plane seeks the peer. */
  hosts(): string[] {
    const endpoints = this.#setting()?.endpoints ?? [];
    return [...new Set(endpoints.map((endpoint) => parseHostPort(endpoint).host))];
  }

  /** Control messages get there now. */
  reached(): void {
    this.#reachable = true;
    this.#deadSince = undefined;
    this.refresh();
    if (this.#context.reconciler.ready) this.#execute(this.#session?.linkUp(this.#now()) ?? []);
  }

  /** Control messages get there no longer. */
  unreached(): void {
    this.#reachable = false;
    this.#session?.linkDown();
    if (!this.#up) this.#deadSince ??= this.#now();
    this.#schedule();
  }

  /** Something that the data plane needs to know may have changed: the member record, or the relay. */
  refresh(): void {
    this.#ensureSession();
    if (this.#context.reconciler.ready) this.#tell();
  }

  /** The data plane says that packets get there. */
  wentUp(): void {
    this.#up = true;
    this.#wasUp = true;
    this.#deadSince = undefined;
    this.#schedule();
  }

  /** The data plane says that packets get there no longer. */
  wentDown(): void {
    this.#up = false;
    if (!this.#reachable) this.#deadSince ??= this.#now();
    this.#schedule();
  }

  /** The data plane opened a packet with this key. */
  keyConfirmed(localIndex: number): void {
    this.#session?.confirm(localIndex, this.#now());
    this.#schedule();
  }

  /** A new key is wanted. */
  renewKey(): void {
    if (this.#context.reconciler.ready) this.#execute(this.#session?.renew(this.#now()) ?? []);
  }

  /** Takes a message of the channel `session`. Before the data plane is known no key could be installed; the peer repeats what it said. */
  receive(bytes: Buffer): void {
    if (this.#session === undefined || !this.#context.reconciler.ready) return;
    this.#execute(this.#session.receive(bytes, this.#now()));
  }

  /** Has the data plane probe all addresses of the peer at once; with `endpoints`, those are its addresses from now on. */
  punch(endpoints?: readonly string[]): void {
    if (endpoints !== undefined) this.#endpoints = endpoints;
    if (!this.#context.reconciler.ready) return;
    this.#tell();
    this.#context.reconciler.tell(this.id, (dataPlane) => dataPlane.punch(this.id));
  }

  /** The data plane that is there now says this of the peer; undefined: nothing. */
  adopt(state: DataPlanePeerState | undefined): void {
    this.#told = undefined;
    this.#up = state?.up ?? false;
    this.#wasUp ||= this.#up;
    if (this.#networks.length === 0) this.#networks = state?.networks ?? [];
    this.#found = { keys: state?.keys ?? [], at: this.#now() };
    this.#ensureSession();
    this.#adoptKeys();
  }

  /** After `adopt`: goes on from what the data plane has. */
  resume(): void {
    const now = this.#now();
    if (!this.#reachable && !this.#up) this.#deadSince ??= now;
    this.#tell();
    this.#execute((this.#reachable ? this.#session?.linkUp(now) : undefined) ?? []);
    // What the initiator said before the data plane was known was not heard.
    const unheard = this.#session?.role === 'responder' && this.#session.current === undefined;
    if (this.#reachable && unheard) this.renewKey();
  }

  /** Nothing is to be done, and no time passes, until the next `resume`. */
  pause(): void {
    this.#cancelTimer();
  }

  /** Takes the peer out of the data plane. It is of no use afterwards. */
  remove(): void {
    this.#removed = true;
    this.#cancelTimer();
    if (this.#context.reconciler.ready)
      this.#context.reconciler.tell(this.id, (dataPlane) => dataPlane.removePeer(this.id));
  }

  /** A session needs the public key, which is in the member record. */
  #ensureSession(): void {
    const member = this.#context.mesh.member(this.id);
    if (this.#session !== undefined || member === undefined) return;
    this.#session = this.#context.openSession(member.publicKey);
    this.#adoptKeys();
  }

  /** The session takes over the keys that were found in the data plane. */
  #adoptKeys(): void {
    if (this.#session === undefined || this.#found === undefined) return;
    const { keys, at } = this.#found;
    if (keys.length === 0) this.#session.reset();
    else this.#session.adopt(keys, this.#up, at);
    this.#found = undefined;
  }

  #execute(actions: readonly SessionAction[]): void {
    for (const action of actions) {
      switch (action.do) {
        case 'send':
          this.#send(action.bytes);
          break;
        case 'install':
          this.#install(action);
          break;
        case 'remove':
          this.#context.reconciler.tell(this.id, (dataPlane) => dataPlane.removeKey(action.localIndex));
          break;
        case 'warn':
          this.#context.onWarning(action.error, this.id);
          break;
      }
    }
    this.#schedule();
  }

  /** The session repeats a message that is lost here. */
  #send(bytes: Buffer): void {
    if (!this.#context.mesh.send(this.id, SESSION_CHANNEL, bytes)) this.#context.onUnsent();
  }

  #install({ key, offer, answer }: InstallAction): void {
    this.#networks = offer.networks;
    this.#endpoints = offer.endpoints;
    this.#tell();
    this.#context.reconciler.tell(this.id, async (dataPlane) => {
      try {
        await dataPlane.setKey(key);
      } catch (error) {
        this.#session?.installFailed(key.localIndex, this.#now());
        if (error instanceof WeftError && error.code === 'index-in-use') this.renewKey();
        else this.#schedule();
        throw error;
      }
      if (answer !== undefined) this.#send(answer);
      this.#context.onKey(this, key);
    });
  }

  /** Tells the data plane about the peer, if there is news. */
  #tell(): void {
    const setting = this.#setting();
    const told = JSON.stringify(setting);
    if (setting === undefined || told === this.#told) return;
    this.#told = told;
    this.#context.reconciler.tell(this.id, (dataPlane) => dataPlane.setPeer(setting));
  }

  /** Undefined for a peer of which no address is known: the data plane keeps what it has. */
  #setting(): PeerSetting | undefined {
    const { mesh, nextHop, timings } = this.#context;
    const member = mesh.member(this.id);
    if (member === undefined) return undefined;
    const endpoints = candidatesOf({
      linkAddress: mesh.link(this.id)?.remoteAddress,
      port: member.port,
      recordEndpoints: member.endpoints,
      sessionEndpoints: this.#endpoints,
    });
    return {
      peer: this.id,
      endpoints,
      networks: this.#networks,
      mtu: member.mtu,
      via: nextHop(this.id),
      keepalive: timings.keepalive,
    };
  }

  #schedule(): void {
    this.#cancelTimer();
    if (this.#removed || !this.#context.reconciler.ready) return;
    const due = Math.min(this.#diesAt(), this.#session?.deadline ?? Infinity);
    if (due === Infinity) return;
    this.#cancelTimer = this.#context.clock.after(Math.max(0, due - this.#now()), () => this.#onDue());
  }

  #onDue(): void {
    const now = this.#now();
    if (now >= this.#diesAt()) this.#context.onDead(this);
    else this.#execute(this.#session?.tick(now) ?? []);
  }

  #diesAt(): number {
    return this.#deadSince === undefined ? Infinity : this.#deadSince + this.#context.timings.deadPeer;
  }

  #now(): number {
    return this.#context.clock.now();
  }
}
