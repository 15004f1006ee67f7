import { connect, type Socket } from 'node:net';
import sodium from 'sodium-native';
import type { Clock } from '../../../clock.js';
import { WeftError } from '../../../errors.js';
import type { PeerId } from '../../../identity/index.js';
import { parseHostPort } from '../../../net/index.js';
import type { DataPlane, OverlayMesh } from '../../port/index.js';
import {
  CONNECTED,
  encodePathMessage,
  MAY_CONNECT,
  PATH_CHANNEL,
  type PathMessage,
  TICKET,
  TICKET_BYTES,
} from '../messages.js';
import { newQuestionId, Questions } from '../questions.js';
import { StreamChoice, type StreamFacts } from './stream-choice.js';

/** Timeout of each step, in milliseconds. */
const STEP = 5_000;
/** Maximum number of a peer's addresses that are tried at once. */
const MAX_ADDRESSES = 4;

export interface StreamsOptions {
  readonly self: PeerId;
  readonly mesh: OverlayMesh;
  readonly dataPlane: DataPlane;
  readonly clock: Clock;
  readonly onFailure: (error: WeftError, peer: PeerId) => void;
}

interface PeerStream {
  readonly choice: StreamChoice;
  open: boolean;
  opening: boolean;
  /** The peer was given a ticket, and is to connect. */
  awaited: boolean;
  /** Why the last attempt failed. */
  failure: string | undefined;
}

/**
 * TCP connections for data, where UDP does not pass (docs/protocol.md 7.2). One end asks over the mesh for a ticket, connects to the other's
 * port and begins with it; both hand the connection to their data planes, the end that was connected to first, so that nothing of the data
 * plane is ever read here.
 */
export class Streams {
  readonly #options: StreamsOptions;
  readonly #peers = new Map<PeerId, PeerStream>();
  readonly #questions = new Questions();

  constructor(options: StreamsOptions) {
    this.#options = options;
  }

  /** Opens or closes what is due, and tells when to be asked again (milliseconds, as `now`). */
  consider(peer: PeerId, facts: Omit<StreamFacts, 'stream'>, now: number): number {
    const state = this.#peer(peer);
    const { what, again } = state.choice.next({ ...facts, stream: state.open }, now);
    if (what === 'open' && !state.opening) void this.#open(peer, state);
    if (what === 'close') {
      state.open = false;
      this.#options.dataPlane.removeStream(peer).catch(() => {});
    }
    return again;
  }

  /** There is a connection, used or not. */
  has(peer: PeerId): boolean {
    return this.#peers.get(peer)?.open ?? false;
  }

  /** Why there is none, when one was wanted. */
  failure(peer: PeerId): string | undefined {
    return this.#peers.get(peer)?.failure;
  }

  /** The data plane has one (of an earlier process of ours, perhaps), or has it no longer. */
  found(peer: PeerId, open: boolean): void {
    this.#peer(peer).open = open;
  }

  forget(peer: PeerId): void {
    this.#peers.delete(peer);
  }

  /** The data plane is gone, and all connections with it. */
  reset(): void {
    for (const state of this.#peers.values()) state.open = false;
  }

  /** Takes a message of the kinds MAY_CONNECT, TICKET and CONNECTED. */
  receive(from: PeerId, message: PathMessage): void {
    if (message.kind === MAY_CONNECT) void this.#await(from, message.id);
    else this.#questions.receive(from, message);
  }

  #peer(peer: PeerId): PeerStream {
    const known = this.#peers.get(peer);
    if (known !== undefined) return known;
    const choice = new StreamChoice(this.#options.self < peer);
    const state: PeerStream = { choice, open: false, opening: false, awaited: false, failure: undefined };
    this.#peers.set(peer, state);
    return state;
  }

  /** Connects to the peer. */
  async #open(peer: PeerId, state: PeerStream): Promise<void> {
    const { mesh, dataPlane } = this.#options;
    const id = newQuestionId();
    let socket: Socket | undefined;
    state.opening = true;
    try {
      const { ticket } = await this.#ask(peer, id, TICKET, () => this.#send(peer, MAY_CONNECT, id));
      socket = await connectToAny(mesh.addressesOf(peer).slice(0, MAX_ADDRESSES));
      const begin = socket.write.bind(socket, ticket);
      await this.#ask(peer, id, CONNECTED, () => begin());
      await dataPlane.passStream(peer, socket);
      state.open = true;
      state.failure = undefined;
    } catch (error) {
      socket?.destroy();
      this.#failed(peer, state, error);
    } finally {
      state.opening = false;
    }
  }

  /** The peer connects to us. */
  async #await(peer: PeerId, id: number): Promise<void> {
    const { mesh, dataPlane } = this.#options;
    const state = this.#peer(peer);
    if (state.awaited) return; // one connection at a time, however often it asks
    const ticket = Buffer.alloc(TICKET_BYTES);
    sodium.randombytes_buf(ticket);
    state.awaited = true;
    try {
      const expected = mesh.expectConnection(ticket, STEP);
      this.#send(peer, TICKET, id, ticket);
      await dataPlane.passStream(peer, await expected);
      state.open = true;
      this.#send(peer, CONNECTED, id);
    } catch (error) {
      this.#failed(peer, state, error);
    } finally {
      state.awaited = false;
    }
  }

  /** Does something that the peer answers with a message of this kind. */
  #ask(peer: PeerId, id: number, kind: number, act: () => void): Promise<PathMessage> {
    return new Promise((resolve, reject) => {
      const cancel = this.#options.clock.after(STEP, () => {
        close();
        reject(new WeftError('no-stream', `${peer} did not answer within ${STEP / 1000} s`));
      });
      const close = this.#questions.wait(peer, id, (message) => {
        if (message.kind !== kind) return;
        cancel();
        close();
        resolve(message);
      });
      act();
    });
  }

  #failed(peer: PeerId, state: PeerStream, error: unknown): void {
    const failure =
      error instanceof WeftError
        ? error
        : new WeftError('no-stream', `TCP for data failed: ${String(error)}`);
    state.failure = failure.message;
    this.#options.onFailure(failure, peer);
  }

  #send(peer: PeerId, kind: number, id: number, ticket?: Uint8Array): void {
    const message = encodePathMessage(kind, id, ticket === undefined ? {} : { ticket });
    this.#options.mesh.send(peer, PATH_CHANNEL, message);
  }
}

/** Connects to the first of these addresses that answers. Nothing is read from the connection. */
async function connectToAny(addresses: readonly string[]): Promise<Socket> {
  const attempts = addresses.map(connectTo);
  try {
    const first = await Promise.any(attempts);
    for (const attempt of attempts) {
      attempt.then((socket) => socket !== first && socket.destroy()).catch(() => {});
    }
    return first;
  } catch {
    throw new WeftError(
      'no-stream',
      `no TCP connection for data (tried ${addresses.join(', ') || 'nowhere'})`,
    );
  }
}

function connectTo(address: string): Promise<Socket> {
  const { host, port } = parseHostPort(address);
  const socket = connect({ host, port, noDelay: true });
  socket.pause();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => fail(new Error('no answer')), STEP);
    const fail = (error: Error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    socket.on('error', fail);
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve(socket);
    });
  });
}
