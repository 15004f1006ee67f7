import type { Socket } from 'node:net';
import { WeftError } from '../../../errors.js';
import { type Identity, type NetworkSecret, type PeerId, proofKeyOf } from '../../../identity/index.js';
import { formatHostPort, type HostPort } from '../../../net/index.js';
import type { SignedRecord } from '../../membership/index.js';
import type { Link, LinkTimings } from '../link.js';
import { type LinkOrigin, originOf } from '../link-view.js';
import { BYE_OLD_SECRET, type LinkMessage } from '../messages.js';
import { Acceptor, Admission, type AdmissionLimits, connectTcp, Dialer, ownAddresses } from '../tcp/index.js';
import { LinkPolicy, otherPeer } from './link-policy.js';
import { LinkTable, type LinkTableEvents } from './link-table.js';
import { OpenLinks } from './open-links.js';

/** For so long (ms) it is not looked anew at which hosts members are. */
const KNOWN_FOR = 1_000;

export interface LinksOptions {
  readonly identity: Identity;
  /** The live secrets, newest first. */
  readonly secrets: readonly NetworkSecret[];
  /** Random for each process; INSTANCE_BYTES long. */
  readonly instance: Buffer;
  /** The address to listen on; undefined for all. */
  readonly host: string | undefined;
  /** The TCP port in use; undefined while this router is not running, and keeps no link. */
  readonly port: () => number | undefined;
  readonly timings: LinkTimings;
  readonly limits: AdmissionLimits & { readonly sendQueue: number };
  readonly selfRecord: () => SignedRecord;
  /** False for a peer that was expelled. */
  readonly isAdmitted: (peer: PeerId) => boolean;
  readonly isMember: (peer: PeerId) => boolean;
  /** Messages get to this peer, over others if not straight. */
  readonly isReachable: (peer: PeerId) => boolean;
  /** The hosts at which members are. */
  readonly knownHosts: () => ReadonlySet<string>;
  readonly events: LinksEvents;
}

export interface LinksEvents extends LinkTableEvents {
  message(link: Link, message: LinkMessage): void;
  /** The send queue of an established link is empty. */
  drained(link: Link): void;
  /** The other end of a link that is kept sees us at this address. */
  observed(address: string): void;
  /** Something was refused or failed that is worth telling. */
  warning(error: WeftError, origin: LinkOrigin): void;
  /** Something was refused or failed that is to be counted only, under this code. */
  failed(code: string): void;
}

/** The links of this router: makes them of TCP connections that come in or that it dials, keeps those that are welcome, and closes them. */
export class Links {
  /** Whom this router keeps links to. */
  readonly dialer: Dialer;
  readonly #options: LinksOptions;
  readonly #acceptor: Acceptor;
  readonly #open: OpenLinks;
  readonly #policy: LinkPolicy;
  readonly #table: LinkTable;
  #hosts: { readonly known: ReadonlySet<string>; readonly at: number } | undefined;
  /** Of the live secrets, newest first. */
  #proofKeys: readonly Buffer[];

  constructor(options: LinksOptions) {
    const { identity, instance, timings, limits, secrets, isAdmitted, isMember, events } = options;
    this.#options = options;
    this.#proofKeys = secrets.map(proofKeyOf);
    this.#table = new LinkTable(identity.publicKey, timings.duplicateProbe, events);
    const isLinked = (peer: PeerId) => this.get(peer) !== undefined;
    this.#policy = new LinkPolicy({ self: identity.peer, instance, isAdmitted, isMember, isLinked });
    this.#open = this.#newOpenLinks();
    this.#acceptor = new Acceptor(
      new Admission(limits, (address) => this.#knownHosts().has(address)),
      (socket) => this.#open.open(socket).then(ignore, ignore),
      (code) => events.failed(code),
    );
    this.dialer = this.#newDialer(isLinked);
  }

  /** Asked for each of many connections while all places are taken. */
  #knownHosts(): ReadonlySet<string> {
    const now = performance.now();
    if (this.#hosts === undefined || now - this.#hosts.at > KNOWN_FOR) {
      this.#hosts = { known: this.#options.knownHosts(), at: now };
    }
    return this.#hosts.known;
  }

  /** The link to send to this peer on. */
  get(peer: PeerId): Link | undefined {
    return this.#table.get(peer);
  }

  /** One usable link of each peer. */
  all(): readonly Link[] {
    return this.#table.all();
  }

  /** Makes new links with these secrets from now on, newest first. Established links stay. */
  setSecrets(secrets: readonly NetworkSecret[]): void {
    this.#proofKeys = secrets.map(proofKeyOf);
  }

  /** Closes all links, also those in handshake, and makes new ones with these secrets only. */
  startOver(secrets: readonly NetworkSecret[], reason: WeftError): void {
    this.setSecrets(secrets);
    void this.#open.closeAll(reason, BYE_OLD_SECRET);
  }

  /** Accepts connections, and returns the port at which it does. Rejects with `port-in-use` or `listen-failed`. */
  listen(port: number): Promise<number> {
    return this.#acceptor.listen(port, this.#options.host);
  }

  /** Gives the next connection that begins with these bytes, which is not to become a link: see `Acceptor`. */
  expect(opening: Uint8Array, timeout: number): Promise<Socket> {
    return this.#acceptor.expect(opening, timeout);
  }

  /** Accepts no new connections; those that exist stay. */
  stopListening(): void {
    this.#acceptor.close();
  }

  /** Closes all links; resolves when they are closed. */
  closeAll(reason: WeftError): Promise<void> {
    return this.#open.closeAll(reason);
  }

  /** What is true for the addresses at which this router itself listens now. */
  ownAddresses(): (address: HostPort) => boolean {
    return ownAddresses(this.#options.port() ?? 0, this.#options.host);
  }

  #newOpenLinks(): OpenLinks {
    const { identity, instance, timings, limits, selfRecord, events } = this.#options;
    const { sendQueue } = limits;
    return new OpenLinks({
      context: () => ({ identity, proofKeys: this.#proofKeys, instance, selfRecord, timings, sendQueue }),
      accept: (link, wanted) => this.#accept(link, wanted),
      onMessage: (link, message) => this.#onMessage(link, message),
      onDrained: (link) => events.drained(link),
      onRefused: (error, link) => events.warning(error, originOf(link)),
    });
  }

  #newDialer(isLinked: (peer: PeerId) => boolean): Dialer {
    const { timings, events, isReachable } = this.#options;
    return new Dialer({
      timings,
      random: Math.random,
      dial: (address, signal, wanted) => this.#dial(address, signal, wanted),
      ownAddresses: () => this.ownAddresses(),
      isLinked,
      isReachable,
      onFailure: (error, address, news) => {
        if (news) events.warning(error, { address });
        else events.failed(error.code);
      },
    });
  }

  /** Connects over TCP and makes a link of the connection, to `wanted` if that is given. */
  async #dial(address: HostPort, signal: AbortSignal, wanted: PeerId | undefined): Promise<PeerId> {
    const socket = await connectTcp(address, this.#options.timings.handshakeTimeout, signal);
    const { peer } = (await this.#open.open(socket, { signal, wanted })).remote;
    if (wanted !== undefined && peer !== wanted) throw otherPeer(formatHostPort(address), peer);
    return peer;
  }

  /** Puts an established link into the table, or closes it and says why. */
  #accept(link: Link, wanted: PeerId | undefined): WeftError | undefined {
    const { port, events } = this.#options;
    if (port() === undefined) {
      const stopped = new WeftError('not-running', 'the router is stopping');
      link.destroy(stopped);
      return stopped;
    }
    const refusal = this.#policy.refusal(link, wanted);
    if (refusal !== undefined) {
      if (refusal.error.code === 'identity-cloned') events.warning(refusal.error, originOf(link));
      link.close(refusal.bye, refusal.error);
      return refusal.error;
    }
    events.observed(link.remote.observed);
    this.#table.add(link);
    return undefined;
  }

  /** Hands a message on, unless it is not certain yet who sent it. */
  #onMessage(link: Link, message: LinkMessage): void {
    const { events } = this.#options;
    if (this.#table.speaksForPeer(link)) events.message(link, message);
    else events.failed('message-dropped');
  }
}

function ignore(): void {}
