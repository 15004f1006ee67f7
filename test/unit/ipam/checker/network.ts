import type { Message } from '../../../../src/ipam/ring/messages.js';
import type { RingRecord } from '../../../../src/ipam/ring/records.js';
import type { Chance } from './chance.js';
import { type Host, reaches } from './host.js';

/** Maximum number of packets that are late. */
const MAX_LATE = 400;

export type Payload =
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'records'; readonly records: readonly RingRecord[] };

export interface Packet {
  readonly from: Host;
  readonly to: Host;
  /** The run of the receiver: what was sent to an earlier run is void. */
  readonly run: number;
  readonly payload: Payload;
}

/** What is on the way between hosts. It arrives in any order. */
export class Network {
  packets: Packet[] = [];
  /** Packets that arrive long after they were sent. */
  readonly late: Packet[] = [];
  /** The probability that a packet is lost. */
  readonly loss: number;
  readonly #chance: Chance;

  constructor(chance: Chance, loss: number) {
    this.#chance = chance;
    this.loss = loss;
  }

  post(from: Host, to: Host, payload: Payload): void {
    if (!reaches(from, to)) return;
    const packets = this.#chance.fault(0.05) ? this.late : this.packets;
    packets.push({ from, to, run: to.run, payload });
    if (this.late.length > MAX_LATE) this.late.splice(this.#chance.below(MAX_LATE), 1);
  }

  /** Takes any one packet from those that are on the way. */
  take(): Packet | undefined {
    const packets = this.#chance.random() < 0.02 && this.late.length > 0 ? this.late : this.packets;
    const index = this.#chance.below(packets.length);
    const packet = packets[index];
    const last = packets.pop();
    if (packet !== undefined && last !== undefined && index < packets.length) packets[index] = last;
    return packet;
  }

  /** Takes all packets that are not late. */
  takeAll(): readonly Packet[] {
    const { packets } = this;
    this.packets = [];
    return packets;
  }
}
