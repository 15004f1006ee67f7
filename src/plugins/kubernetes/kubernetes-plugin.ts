import { EventEmitter } from 'node:events';
import type { KubernetesControl, KubernetesStatus } from '../../api/index.js';
import { messageOf } from '../../errors.js';
import { type Access, Api, type Pause } from '../../kubernetes/index.js';
import { withinTime } from '../../order.js';
import type { NamedPod } from '../cni/index.js';
import type { Source } from '../discovery/index.js';
import { Cluster } from './cluster.js';
import type { KubernetesHost } from './host.js';
import type { ClusterFile } from './memory.js';
import { NodeSource } from './node-source.js';
import { OwnNode } from './own-node.js';
import { Takeover } from './takeover.js';

/** A pod that is being started waits for so long at most until it is known, in milliseconds. */
const PATIENCE = 2_000;
/** A cluster changes all the time, and all of it is written at a time: this often at most, in milliseconds, with so much more for each pod. A disk is spared all but some 50 kB a second. */
const SAVING = { least: 1_000, perPod: 10 };
const NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

export interface KubernetesPluginOptions {
  readonly access: Access;
  /** Name of the Node that this router runs on. */
  readonly node: string;
  readonly file: ClusterFile;
  readonly pause: Pause;
  readonly random: () => number;
  /** Milliseconds since some moment; never goes back. */
  readonly now: () => number;
  /** Unix time in milliseconds. */
  readonly time: () => number;
}

export interface KubernetesPluginEvents {
  /** Policies, or what they are about, are not what they were. */
  rules: [];
  /** Something that users are to know. */
  notice: [what: string];
  trouble: [what: string];
}

/** Weft on the nodes of a Kubernetes cluster: who they are, what its policies say, and what becomes of nodes that go. */
export class KubernetesPlugin extends EventEmitter<KubernetesPluginEvents> implements KubernetesControl {
  readonly #options: KubernetesPluginOptions;
  readonly #api: Api;
  readonly #cluster: Cluster;
  readonly #source: NodeSource;
  readonly #ended = new AbortController();
  readonly #takeover: Takeover;
  #host: KubernetesHost | undefined;
  #own: OwnNode | undefined;
  #running: Promise<unknown> = Promise.resolve();
  #checking: Promise<unknown> | undefined;
  /** When changes may be written again. */
  #saveAt = Number.NEGATIVE_INFINITY;
  #isUnsaved = false;
  /** Why they could not be written. */
  #diskFault: string | undefined;
  #told: readonly string[] = [];

  constructor(options: KubernetesPluginOptions) {
    super();
    this.#options = options;
    const { access } = options;
    this.#api = new Api(access);
    this.#source = new NodeSource(() => ({
      nodes: [...this.#cluster.nodes.objects.values()],
      isWhole: this.#cluster.nodes.status.state === 'working' && this.#cluster.nodes.isWhole,
    }));
    const onNews = () => {
      this.#isUnsaved = true;
    };
    this.#takeover = new Takeover({
      ...options,
      onNews,
      onNotice: (what) => this.emit('notice', what),
      onTrouble: (what) => this.emit('trouble', what),
    });
    this.#cluster = new Cluster({
      ...options,
      api: this.#api,
      onNodes: () => this.#onNodes(),
      onRules: () => {
        onNews();
        this.emit('rules');
      },
      onTurn: (error) => this.#turned(error),
    });
  }

  /** What the cluster says of its policies and pods. */
  get cluster(): Pick<Cluster, 'policies' | 'namespaces' | 'pods'> {
    return this.#cluster;
  }

  /** Where to look for other routers. */
  get source(): Source {
    return this.#source;
  }

  /** Takes what is on the disk, and follows the API server from now on. Rejects with `file-corrupt`. */
  async start(): Promise<void> {
    const memory = await this.#options.file.read();
    this.#takeover.restore(memory.routers);
    this.#cluster.restore(memory);
    this.#running = this.#cluster.run(this.#ended.signal);
  }

  /** The router works: its Node may say so, and what removed ones owned may be taken over. */
  serve(host: KubernetesHost): void {
    const { node, ...times } = this.#options;
    const { peer } = host;
    this.#host = host;
    const isReady = () => host.isReady();
    const onNotice = (what: string) => this.emit('notice', what);
    this.#own = new OwnNode({ ...times, api: this.#api, name: node, peer, isReady, onNotice });
    this.check();
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    await Promise.allSettled([this.#running, this.#checking]);
    if (this.#isUnsaved) await this.#save();
    this.#tell();
  }

  /** Looks after our Node, removed nodes and the disk. Returns at once; to be called again and again. */
  check(): void {
    if (this.#ended.signal.aborted) return;
    this.#checking ??= this.#check().finally(() => {
      this.#checking = undefined;
    });
  }

  /** Resolves once everything that is known of a pod is in the policies' snapshot, or no more can be waited for. */
  async meet({ namespace, name, uid }: NamedPod): Promise<void> {
    if (!NAME.test(namespace) || !NAME.test(name)) return;
    const { signal } = this.#ended;
    const learnt = this.#cluster.known().then(async () => {
      const known = this.#cluster.pods.get(`${namespace}/${name}`);
      if (known !== undefined && (uid === undefined || known.uid === uid)) return;
      const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
      this.#cluster.learnPod(await this.#api.ask({ path, signal, within: PATIENCE }));
    });
    // Then it is one of its namespace without labels, until the server tells more.
    await withinTime(learnt, PATIENCE, () => new Error('not in time')).catch(() => {});
  }

  /** What is not as it should be, in sentences. */
  faults(): string[] {
    const { state, since, error } = this.#cluster.status();
    const away = state === 'failing' ? [`the API server is away since ${clock(since)}: ${error}`] : [];
    const own = this.#own?.fault === undefined ? [] : [this.#own.fault];
    const disk = this.#diskFault === undefined ? [] : [this.#diskFault];
    return [...away, ...own, ...disk, ...this.#takeover.faults(), ...this.#cluster.faults()];
  }

  /** What is wrong with policies and what they mean, in sentences. */
  flaws(): string[] {
    return this.#cluster.faults();
  }

  status(): KubernetesStatus {
    const { state, since, listedAt, error } = this.#cluster.status();
    const { policies, pods, namespaces, nodes } = this.#cluster;
    return {
      enabled: true,
      server: this.#api.origin,
      node: this.#options.node,
      ...{ state, since, listedAt, error },
      counts: {
        ...{ nodes: nodes.objects.size, namespaces: namespaces.size },
        ...{ pods: pods.size, policies: policies.length },
      },
      removed: this.#takeover.gone.map(({ peer, node }) => ({ peer, node })),
      faults: this.faults(),
    };
  }

  #turned(error: string | undefined): void {
    if (error === undefined) this.emit('notice', `the API server ${this.#api.origin} answers again`);
    else
      this.emit(
        'trouble',
        `the API server does not answer as it should, what is known stays in force: ${error}`,
      );
  }

  #onNodes(): void {
    const { nodes } = this.#cluster;
    if (nodes.isWhole) this.#takeover.see([...nodes.objects.values()]);
    this.#source.changed();
    if (this.#host !== undefined) this.check();
  }

  async #check(): Promise<void> {
    const { node } = this.#options;
    const { nodes } = this.#cluster;
    if (nodes.status.state === 'working') await this.#own?.check(nodes.objects.get(node), this.#ended.signal);
    if (this.#host !== undefined) await this.#takeover.check(this.#host);
    if (this.#isUnsaved && this.#options.now() >= this.#saveAt) await this.#save();
    this.#tell();
  }

  /** What is wrong since it was told last. */
  #tell(): void {
    const faults = [...this.#cluster.faults(), this.#own?.fault ?? '', this.#diskFault ?? ''].filter(Boolean);
    for (const fault of faults) if (!this.#told.includes(fault)) this.emit('trouble', fault);
    this.#told = faults;
  }

  async #save(): Promise<void> {
    const { now } = this.#options;
    this.#saveAt = now() + SAVING.least + SAVING.perPod * this.#cluster.pods.size;
    this.#isUnsaved = false;
    try {
      await this.#options.file.write(() => ({ ...this.#cluster.memory(), routers: this.#takeover.known }));
      this.#diskFault = undefined;
    } catch (error) {
      this.#isUnsaved = true;
      this.#diskFault = `what the cluster said is not on the disk: ${messageOf(error)}`;
    }
  }
}

function clock(time: number): string {
  return new Date(time).toISOString();
}
