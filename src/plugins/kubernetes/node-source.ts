import { EventEmitter, once } from 'node:events';
import type { Snapshot, Source } from '../discovery/index.js';
import type { ClusterNode } from './nodes.js';

/** What is known of the nodes now. */
export interface NodesView {
  readonly nodes: readonly ClusterNode[];
  /** These are all, as the server that answers has them. */
  readonly isWhole: boolean;
}

/** Routers are sought on the nodes, of which the plugin hears anyway. */
export class NodeSource implements Source {
  readonly name = 'kubernetes';
  readonly #view: () => NodesView;
  readonly #news = new EventEmitter<{ changed: [] }>();

  constructor(view: () => NodesView) {
    this.#view = view;
  }

  /** The nodes are others than before. */
  changed(): void {
    this.#news.emit('changed');
  }

  async *follow(signal: AbortSignal): AsyncGenerator<Snapshot> {
    while (!signal.aborted) {
      const changed = once(this.#news, 'changed', { signal }).catch(() => {}); // the signal came
      const { nodes, isWhole } = this.#view();
      const targets = nodes.flatMap(({ addresses }) => addresses);
      if (targets.length > 0) yield { targets, whole: isWhole };
      await changed;
    }
  }
}
