import { EventEmitter } from 'node:events';
import { WeftError } from '../../../src/errors.js';
import type { PeerId } from '../../../src/identity/index.js';
import type {
  DataPlane,
  DataPlaneDump,
  DataPlaneEvents,
  DataPlaneInfo,
  DataPlanePeerState,
  KeySetting,
  PeerSetting,
} from '../../../src/overlay/index.js';

interface HeldKey extends KeySetting {
  sealing: boolean;
}

/**
 * A data plane without packets, which keeps the forwarder's rules about keys. `wire` joins two of them: a key that the initiator
 * seals with is used at once, and must then be found at the other end.
 */
export class MemoryDataPlane extends EventEmitter<DataPlaneEvents> implements DataPlane {
  connected = true;
  readonly self: PeerId;
  readonly peers = new Map<PeerId, PeerSetting>();
  keys: HeldKey[] = [];
  /** The other end is heard. */
  up = false;
  /** Packets that the other end could not open. */
  lost = 0;
  ciphers: DataPlaneInfo['ciphers'];
  other: MemoryDataPlane | undefined;

  constructor(self: PeerId, ciphers: DataPlaneInfo['ciphers'] = DEFAULT_CIPHERS) {
    super();
    this.self = self;
    this.ciphers = ciphers;
  }

  static wire(a: MemoryDataPlane, b: MemoryDataPlane): void {
    a.other = b;
    b.other = a;
  }

  /** The process dies and another takes its place: everything is gone. */
  restart(): void {
    this.connected = false;
    this.emit('lost');
    this.peers.clear();
    this.keys = [];
    this.up = false;
    this.connected = true;
    this.emit('ready');
  }

  /** One packet to the other end, as a keepalive would send. */
  sendPacket(): void {
    const key = this.keys.findLast((each) => each.sealing);
    const other = this.other;
    if (key === undefined || other === undefined) return;
    const opening = other.keys.find(
      (each) => each.localIndex === key.remoteIndex && Buffer.compare(each.openKey, key.sealKey) === 0,
    );
    if (opening === undefined) {
      this.lost += 1;
      return;
    }
    if (Buffer.compare(opening.hopOpenKey, key.hopSealKey) !== 0 || opening.cipher !== key.cipher) {
      throw new Error('the two ends have different keys');
    }
    if (opening.role === 'responder') opening.sealing = true;
    other.emit('key-confirmed', { peer: this.self, localIndex: opening.localIndex });
    if (!other.up) {
      other.up = true;
      other.emit('peer-up', { peer: this.self, endpoint: '127.0.0.1:1', rtt: 100 });
    }
  }

  async hello(): Promise<DataPlaneInfo> {
    return { ciphers: this.ciphers };
  }

  async dump(): Promise<DataPlaneDump> {
    return { peers: [...this.peers.values()].map((setting) => this.#state(setting)) };
  }

  async setPeer(setting: PeerSetting): Promise<void> {
    this.peers.set(setting.peer, setting);
  }

  async removePeer(peer: PeerId): Promise<void> {
    this.peers.delete(peer);
    this.keys = this.keys.filter((key) => key.peer !== peer);
  }

  async passStream(): Promise<void> {}

  async removeStream(): Promise<void> {}

  async punch(): Promise<void> {}

  async probe(peer: PeerId): Promise<number> {
    setImmediate(() => this.emit('probed', { peer, id: 1, rtt: 100 }));
    return 1;
  }

  /** How many keys more are refused, as by a forwarder that does not answer in time. */
  refusals = 0;

  async setKey(setting: KeySetting): Promise<void> {
    if (this.refusals > 0) {
      this.refusals -= 1;
      throw new WeftError('forwarder-timeout', 'the forwarder did not answer');
    }
    if (!this.peers.has(setting.peer)) throw new WeftError('unknown-peer', 'the peer is not set');
    if (this.keys.some((key) => key.localIndex === setting.localIndex)) {
      throw new WeftError('index-in-use', 'the index is taken');
    }
    this.keys = [...this.keys, { ...setting, sealing: setting.role === 'initiator' }].slice(-4);
    if (setting.role !== 'initiator') return;
    // A probe and its answer.
    this.sendPacket();
    this.other?.sendPacket();
  }

  async removeKey(localIndex: number): Promise<void> {
    this.keys = this.keys.filter((key) => key.localIndex !== localIndex);
  }

  #state({ peer, networks, endpoints }: PeerSetting): DataPlanePeerState {
    const keys = this.keys.filter((key) => key.peer === peer);
    return {
      peer,
      via: null,
      transport: 'udp',
      direct: this.up,
      networks,
      candidates: endpoints.map((endpoint) => ({
        endpoint,
        learned: false,
        probes: 1,
        answers: 0,
        rtt: null,
        lastAnswer: null,
      })),
      endpoint: endpoints[0] ?? null,
      keys: keys.map((key) => ({ ...key, sentPackets: 0, age: 1 })),
      plain: false,
      up: this.up,
      rtt: 100,
      rttVariance: 1,
      loss: 0,
      pathMtu: 1500,
      sourcePorts: { used: 1, of: 1, probed: false },
      observed: null,
      sentBytes: 1,
      sentPackets: 1,
      receivedBytes: 1,
      receivedPackets: 1,
      lastReceived: 0,
    };
  }
}

const DEFAULT_CIPHERS: DataPlaneInfo['ciphers'] = [
  { name: 'xsalsa20-poly1305', implementation: 'x', hardware: false, nanosecondsPer1400: 1430.4 },
  { name: 'chacha20-poly1305', implementation: 'x', hardware: false, nanosecondsPer1400: 910.2 },
  { name: 'aes-256-gcm', implementation: 'x', hardware: true, nanosecondsPer1400: 101.7 },
];
