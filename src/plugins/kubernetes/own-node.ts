import { Backoff } from '../../backoff.js';
import { messageOf } from '../../errors.js';
import { type Api, explained } from '../../kubernetes/index.js';
import { loggable } from '../../text/index.js';
import { type ClusterNode, NETWORK_CONDITION, PEER_ANNOTATION } from './nodes.js';

/** Before a Node is written again, in milliseconds: longer each time that failed, and never at once where somebody else writes there, too. */
const PAUSE = { initial: 5_000, max: 120_000 } as const;
const STRATEGIC_MERGE = { 'content-type': 'application/strategic-merge-patch+json' };

export interface OwnNodeOptions {
  readonly api: Api;
  /** Name of the Node that this router runs on. */
  readonly name: string;
  readonly peer: string;
  readonly isReady: () => Promise<boolean>;
  readonly random: () => number;
  /** Milliseconds since some moment. */
  readonly now: () => number;
  /** Unix time in milliseconds. */
  readonly time: () => number;
  readonly onNotice: (text: string) => void;
}

/** What this router notes at its own Node: who it is, and, once it is ready, that pods have a network there. Both are noted again when somebody else changes them. */
export class OwnNode {
  readonly #options: OwnNodeOptions;
  readonly #backoff: Backoff;
  /** When it may be written again. */
  #writeAt = Number.NEGATIVE_INFINITY;
  #fault: string | undefined;

  constructor(options: OwnNodeOptions) {
    this.#options = options;
    this.#backoff = new Backoff(PAUSE.initial, PAUSE.max, options.random);
  }

  /** Why the Node does not say what it should; undefined when it does. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** `node` is as the API server has it; undefined: there is none. */
  async check(node: ClusterNode | undefined, signal: AbortSignal): Promise<void> {
    const { name, peer, now } = this.#options;
    if (node === undefined) {
      this.#fault = `no Node is called ${loggable(name)}: NODE_NAME of this router says on which it runs`;
      return;
    }
    const isKnown = node.peer === peer;
    const hasNetwork = node.networkUnavailable === 'False';
    if (isKnown && hasNetwork) this.#fault = undefined;
    if ((isKnown && hasNetwork) || now() < this.#writeAt) return;
    try {
      if (!isKnown) await this.#write('', 'nodes', annotation(peer), signal);
      if (!hasNetwork) await this.#openNetwork(signal);
      this.#backoff.reset();
      this.#fault = undefined;
    } catch (error) {
      if (signal.aborted) return; // the router stops
      this.#fault = `the Node ${loggable(name)} cannot be written: ${messageOf(error)}`;
    }
  }

  async #openNetwork(signal: AbortSignal): Promise<void> {
    const { isReady, time, name, onNotice } = this.#options;
    if (!(await isReady())) return;
    await this.#write('/status', 'nodes/status', condition(new Date(time())), signal);
    onNotice(`pods have a network on the node ${name}: its condition ${NETWORK_CONDITION} is false`);
  }

  async #write(part: string, resource: string, content: object, signal: AbortSignal): Promise<void> {
    const { api, name, now } = this.#options;
    this.#writeAt = now() + this.#backoff.next();
    const path = `/api/v1/nodes/${encodeURIComponent(name)}${part}?fieldManager=weft`;
    await api
      .ask({ method: 'PATCH', path, content, headers: STRATEGIC_MERGE, signal })
      .catch((error: unknown) => {
        throw explained(error, 'patch', resource, api.origin);
      });
  }
}

function annotation(peer: string): object {
  return { metadata: { annotations: { [PEER_ANNOTATION]: peer } } };
}

/** Times are told to the second. */
function condition(at: Date): object {
  const time = at.toISOString().replace(/\.\d+Z$/, 'Z');
  return {
    status: {
      conditions: [
        {
          ...{ type: NETWORK_CONDITION, status: 'False' },
          ...{ reason: 'WeftIsUp', message: 'weft is running on this node' },
          ...{ lastHeartbeatTime: time, lastTransitionTime: time },
        },
      ],
    },
  };
}
