import type {
  HostView,
  LinkView,
  MeshChange,
  MeshView,
  PartChange,
  Traffic,
} from '../../api/status/index.js';
import type { Kind } from '../kinds.js';

/** Bytes a second. */
export interface Rate {
  readonly sent: number;
  readonly received: number;
}

const SILENT: Rate = { sent: 0, received: 0 };

/** The mesh as the router told of it. */
export class Mesh {
  readonly hosts = new Map<string, HostView>();
  readonly links = new Map<string, LinkView>();
  readonly traffic = new Map<string, Traffic>();
  readonly others = new Map<string, number>();
  readonly rates = new Map<string, Rate>();
  about: Pick<MeshView, 'self' | 'health' | 'omitted'> | undefined;
  /** As the router's clock has it, in milliseconds. */
  at = 0;

  start(change: MeshChange): void {
    for (const part of [this.hosts, this.links, this.traffic, this.others, this.rates]) part.clear();
    this.#put(change);
  }

  apply(change: MeshChange): void {
    this.#measure(change);
    this.#put(change);
  }

  get self(): string {
    return this.about?.self ?? '';
  }

  nickname(peer: string): string {
    return this.hosts.get(peer)?.nickname ?? peer;
  }

  /** How packets get to a host; undefined for this one. */
  kind(peer: string): Kind | undefined {
    return peer === this.self ? undefined : (this.links.get(peer)?.kind ?? 'none');
  }

  /** Nothing gets there. */
  isLost(peer: string): boolean {
    return this.kind(peer) === 'none' || this.hosts.get(peer)?.state === 'left';
  }

  rate(peer: string): Rate {
    return this.rates.get(peer) ?? SILENT;
  }

  total(): Rate {
    let [sent, received] = [0, 0];
    for (const rate of this.rates.values()) {
      sent += rate.sent;
      received += rate.received;
    }
    return { sent, received };
  }

  #put(change: MeshChange): void {
    this.at = change.at;
    if (change.about !== undefined) this.about = change.about;
    putPart(this.hosts, change.hosts);
    putPart(this.links, change.links);
    putPart(this.traffic, change.traffic);
    putPart(this.others, change.others);
  }

  /** Whose counters did not move has sent nothing; they begin anew with another forwarder. */
  #measure({ at, traffic }: MeshChange): void {
    const seconds = (at - this.at) / 1000;
    this.rates.clear();
    for (const [peer, [sent, received]] of Object.entries(traffic?.put ?? {})) {
      const before = this.traffic.get(peer);
      if (before === undefined || seconds <= 0) continue;
      this.rates.set(peer, {
        sent: Math.max(0, sent - before[0]) / seconds,
        received: Math.max(0, received - before[1]) / seconds,
      });
    }
  }
}

function putPart<T>(part: Map<string, T>, change: PartChange<T> | undefined): void {
  if (change === undefined) return;
  for (const key of change.gone) part.delete(key);
  for (const [key, value] of Object.entries(change.put)) part.set(key, value);
}
