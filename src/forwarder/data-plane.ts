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
import type { ForwarderDump, ForwarderEvent } from './control/index.js';
import type { Forwarder } from './forwarder.js';

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

  setPeer(setting: PeerSetting): Promise<void> {
    return this.#forwarder.setPeer(setting);
  }

  removePeer(peer: PeerId): Promise<void> {
    return this.#forwarder.removePeer(peer);
  }

  passStream(peer: PeerId, socket: Socket): Promise<void> {
    return this.#forwarder.passStream(peer, socket);
  }

  removeStream(peer: PeerId): Promise<void> {
    return this.#forwarder.removeStream(peer);
  }

  punch(peer: PeerId): Promise<void> {
    return this.#forwarder.punch(peer);
  }

  probe(peer: PeerId, mtu?: number): Promise<number> {
    return this.#forwarder.probe(peer, mtu);
  }

  setKey(setting: KeySetting): Promise<void> {
    return this.#forwarder.setKey({
      ...setting,
      sealKey: base64(setting.sealKey),
      openKey: base64(setting.openKey),
      hopSealKey: base64(setting.hopSealKey),
      hopOpenKey: base64(setting.hopOpenKey),
    });
  }

  removeKey(localIndex: number): Promise<void> {
    return this.#forwarder.removeKey(localIndex);
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
