import { randomInt } from 'node:crypto';
import type { CheckControl, PeerCheck } from '../../api/index.js';
import { type Clock, SystemClock } from '../../clock.js';
import { decodeExact } from '../../codec.js';
import { WeftError } from '../../errors.js';
import type { Forwarder, ForwarderEvent } from '../../forwarder/index.js';
import { type PeerId, parsePeerId } from '../../identity/index.js';
import type { MemberView, Mesh } from '../../mesh/index.js';
import { inParallel } from '../../order.js';
import type { Overlay } from '../../overlay/index.js';
import { Answerer } from './answerer.js';
import { Hails } from './hails.js';
import { ANSWER, CHECK_CHANNEL, checkMessage, QUESTION } from './messages.js';
import type { CheckPorts } from './ports.js';
import { Questioner } from './questioner.js';
import { verdictOf } from './verdict.js';

/** Peers that are looked at at a time. */
const AT_ONCE = 32;
/** Number of the network that every host has. */
const DEFAULT_NETWORK = 0;
/** Sizes that the forwarder takes for a packet. */
const LEAST_MTU = 576;
const LARGEST_MTU = 65_000;
const RANDOM = 2 ** 47;

export interface CheckupOptions {
  readonly mesh: Pick<Mesh, 'members' | 'on' | 'off' | 'send'>;
  readonly overlay: Pick<Overlay, 'connections' | 'ping'>;
  readonly forwarder: Pick<Forwarder, 'hail' | 'on' | 'off'>;
  readonly names: {
    sample(): string | undefined;
    answers(owner: PeerId, record: string): boolean;
  };
  /** Of the containers. */
  readonly mtu: number;
}

/** Proves, peer by peer, what works between this router and the others, and answers those who do the same. */
export class Checkup implements CheckControl {
  readonly #options: CheckupOptions;
  readonly #clock: Clock = new SystemClock();
  readonly #hails = new Hails(this.#clock);
  readonly #answerer: Answerer;
  readonly #questioner: Questioner;
  #running: Promise<readonly PeerCheck[]> | undefined;
  #ending = false;

  constructor(options: CheckupOptions) {
    this.#options = options;
    const { mesh, forwarder, names, mtu } = options;
    const ports: CheckPorts = {
      mtu,
      send: (peer, bytes) => mesh.send(peer, CHECK_CHANNEL, bytes),
      probe: (peer, size) => this.#probe(peer, size),
      sampleName: () => names.sample(),
      answersName: (peer, record) => names.answers(peer, record),
    };
    this.#answerer = new Answerer(ports, this.#hails, this.#clock);
    const hail = (peer: PeerId, number: number) =>
      forwarder.hail(peer, DEFAULT_NETWORK, number).catch(() => false);
    const random = () => randomInt(RANDOM) / RANDOM;
    this.#questioner = new Questioner({ ...ports, hail, random }, this.#clock);
  }

  start(): void {
    this.#options.mesh.on('message', this.#onMessage);
    this.#options.forwarder.on('event', this.#onEvent);
  }

  /** A check that goes on begins with no further peer. */
  stop(): void {
    this.#ending = true;
    this.#options.mesh.off('message', this.#onMessage);
    this.#options.forwarder.off('event', this.#onEvent);
  }

  /** Who asks while a check goes on gets what that one finds. */
  check(timeout: number): Promise<readonly PeerCheck[]> {
    this.#running ??= this.#check(this.#clock.now() + timeout).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #check(deadline: number): Promise<readonly PeerCheck[]> {
    const peers = this.#options.mesh.members().filter(({ self, left }) => !self && !left);
    const findings = new Map<PeerId, Awaited<ReturnType<Questioner['ask']>>>();
    await inParallel(peers, AT_ONCE, async ({ peer, mtu }) => {
      if (this.#ending || this.#clock.now() >= deadline) return;
      findings.set(peer, await this.#questioner.ask(peer, mtu, deadline));
    });
    const connections = new Map(
      (await this.#options.overlay.connections()).map((connection) => [connection.peer, connection]),
    );
    return peers.map((member) => ({
      ...namesOf(member),
      ...verdictOf({
        findings: findings.get(member.peer),
        down: member.down,
        connection: connections.get(member.peer),
        mtu: Math.min(this.#options.mtu, member.mtu),
      }),
    }));
  }

  /** A forwarder that is not there answers no probe. */
  async #probe(peer: PeerId, mtu?: number): Promise<boolean> {
    const size = mtu === undefined ? undefined : Math.min(Math.max(mtu, LEAST_MTU), LARGEST_MTU);
    return (await this.#options.overlay.ping(peer, size).catch(() => null)) !== null;
  }

  readonly #onEvent = ({ name, fields }: ForwarderEvent): void => {
    if (name === 'hail' && fields.network === DEFAULT_NETWORK)
      this.#hails.heard(parsePeerId(fields.peer), fields.number);
  };

  /** What is no message of a check is dropped: whoever asked hears nothing, and says so. */
  readonly #onMessage = (peer: PeerId, channel: string, bytes: Buffer): void => {
    if (channel !== CHECK_CHANNEL) return;
    try {
      const message = decodeExact(checkMessage, bytes);
      if (message.kind === QUESTION) this.#answerer.answer(peer, message).catch(dropped);
      if (message.kind === ANSWER) this.#questioner.receive(peer, message);
    } catch (error) {
      dropped(error);
    }
  };
}

function dropped(error: unknown): void {
  if (!(error instanceof WeftError)) throw error;
}

function namesOf({ peer, nickname }: MemberView): Pick<PeerCheck, 'peer' | 'nickname'> {
  return { peer, nickname };
}
