import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { PeerId } from '../identity/index.js';
import { parsePeerId } from '../identity/index.js';
import type {
  DataPlane,
  DataPlaneDump,
  DataPlaneEvents,
  DataPlaneInfo,
  DataPlanePeerState,
  KeySetting,
  PeerSetting,
} from '../overlay/index.js';
import type { Forwarder } from './forwarder.js';
import { answers, type ForwarderDump, type ForwarderEvent } from './messages.js';

/** The forwarder as the overlay sees it: peers, keys, and what happens to them. */
export class ForwarderDataPlane extends EventEmitter<DataPlaneEvents> implements DataPlane {
  readonly #forwarder: Forwarder;

  constructor(forwarder: Forwarder) {
    super();
    this.#forwarder = forwarder;
    forwarder.on('ready', () => this.emit('ready'));
    forwarder.on('lost', () => this.emit('lost'));
    forwarder.on('event', (event) => this.#pass(event));
  }

  get connected(): boolean {
    return this.#forwarder.connected;
  }

  hello(): Promise<DataPlaneInfo> {
    return this.#forwarder.hello();
  }

  async dump(): Promise<DataPlaneDump> {
    const { peers } = await this.#forwarder.dump();
    return { peers: peers.map(peerState) };
  }

  async setPeer(setting: PeerSetting): Promise<void> {
    await this.#forwarder.request('peer.set', setting);
  }

  async removePeer(peer: PeerId): Promise<void> {
    await this.#forwarder.request('peer.remove', { peer });
  }

  async passStream(peer: PeerId, socket: Socket): Promise<void> {
    await this.#forwarder.passStream(peer, socket);
  }

  async removeStream(peer: PeerId): Promise<void> {
    await this.#forwarder.request('stream.remove', { peer });
  }

  async punch(peer: PeerId): Promise<void> {
    await this.#forwarder.request('punch', { peer });
  }

  async probe(peer: PeerId): Promise<number> {
    return answers.probe(await this.#forwarder.request('probe', { peer })).id;
  }

  async setKey(setting: KeySetting): Promise<void> {
    await this.#forwarder.request('key.set', {
      ...setting,
      sealKey: base64(setting.sealKey),
      openKey: base64(setting.openKey),
      hopSealKey: base64(setting.hopSealKey),
      hopOpenKey: base64(setting.hopOpenKey),
    });
  }

  async removeKey(localIndex: number): Promise<void> {
    await this.#forwarder.request('key.remove', { localIndex });
  }

  #pass({ name, fields }: ForwarderEvent): void {
    switch (name) {
      case 'peer-up':
        this.emit(name, { ...fields, peer: parsePeerId(fields.peer) });
        break;
      case 'peer-down':
      case 'stream-lost':
        this.emit(name, { peer: parsePeerId(fields.peer) });
        break;
      case 'endpoint':
        this.emit(name, { ...fields, peer: parsePeerId(fields.peer) });
        break;
      case 'key-confirmed':
      case 'key-expiring':
        this.emit(name, { ...fields, peer: parsePeerId(fields.peer) });
        break;
      case 'observed':
        this.emit(name, { ...fields, peer: parsePeerId(fields.peer) });
        break;
      case 'transport':
        this.emit(name, { ...fields, peer: parsePeerId(fields.peer) });
        break;
      case 'direct':
        this.emit(name, { ...fields, peer: parsePeerId(fields.peer) });
        break;
      case 'probed':
        this.emit(name, { ...fields, peer: parsePeerId(fields.peer) });
        break;
    }
  }
}

function peerState(state: ForwarderDump['peers'][number]): DataPlanePeerState {
  return {
    ...state,
    peer: parsePeerId(state.peer),
    via: state.via === null ? null : parsePeerId(state.via),
  };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
