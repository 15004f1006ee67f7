/** A cluster in the lab: an API server on a host of its own, and routers on the other hosts, which are its nodes. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KubernetesStatus, PolicyList } from '../../../src/api/index.js';
import { ask } from '../../../src/cli/client.js';
import { ApiServer, NODES, PODS } from '../../kubernetes/api-server.js';
import { node, type PodShape, pod } from '../../kubernetes/shapes.js';
import { CniRuntime, type Container, type Host, type Lab, type Running, until } from '../../lab/index.js';
import { Agent } from '../../policies/agents.js';

const PORT = 6443;
/** Passes what comes to an address of the lab on to the socket of the server, which is of no namespace. */
const DOOR = `require('node:net').createServer((outer) => {
  const inner = require('node:net').connect(process.argv[1]);
  outer.on('error', () => inner.destroy()).pipe(inner).on('error', () => outer.destroy()).pipe(outer);
}).listen(${PORT}, () => console.log('open'))`;

/** A pod that runs: its container, and a process in it. */
export interface RunningPod {
  readonly container: Container;
  readonly agent: Agent;
  readonly address: string;
  /** Of ADD, s. */
  readonly seconds: number;
}

export class Cluster {
  readonly #kubeconfig: string;
  #door: Running | undefined;
  #pods = 0;

  private constructor(
    readonly api: ApiServer,
    private readonly master: Host,
    readonly hosts: readonly Host[],
  ) {
    this.#kubeconfig = join(master.directory, 'kubeconfig');
  }

  /** With so many nodes, on which no router runs yet. */
  static async create(lab: Lab, count: number): Promise<Cluster> {
    const [master, ...hosts] = await lab.hosts(count + 1);
    if (master === undefined) throw new Error('no host');
    const account = join(master.directory, 'account');
    mkdirSync(account);
    const api = await ApiServer.start(account, master.address);
    const cluster = new Cluster(api, master, hosts);
    writeFileSync(cluster.#kubeconfig, kubeconfig(master.address, account));
    await cluster.open();
    for (const host of hosts) {
      host.variables.KUBECONFIG = cluster.#kubeconfig;
      api.put(NODES, node({ name: host.name, address: host.address }));
    }
    return cluster;
  }

  /** A router on each node. They know nothing of each other but what the API server says. */
  async launch(): Promise<void> {
    const args = ['--kubernetes', '--ipalloc-init', `consensus=${this.hosts.length}`];
    for (const host of this.hosts) await host.launch({ password: 'of the cluster', args });
  }

  /** The server can be reached. */
  async open(): Promise<void> {
    this.#door = this.master.start([process.execPath, '-e', DOOR, this.api.socket]);
    await this.#door.says(/open/);
  }

  /** It cannot. */
  async close(): Promise<void> {
    await this.#door?.stop('SIGKILL');
  }

  async end(): Promise<void> {
    await this.close();
    this.api.stop();
  }

  /** As a kubelet does: the scheduler put the pod on the node, its container gets an interface and begins (`onAdded`), and the pod has an address. */
  async run(host: Host, shape: PodShape, onAdded: (agent: Agent) => void = () => {}): Promise<RunningPod> {
    this.#pods += 1;
    const { name, namespace = 'default', uid = `uid-${namespace}/${name}` } = shape;
    this.api.put(PODS, pod({ ...shape, phase: 'Pending' }));
    const container = await host.container(`p${this.#pods}`);
    const agent = await Agent.start(container);
    const args = `K8S_POD_UID=${uid};K8S_POD_NAMESPACE=${namespace};K8S_POD_NAME=${name};IgnoreUnknown=1`;
    const { answer, code, seconds } = await new CniRuntime(host).attempt('ADD', container, { args });
    if (code !== 0) throw new Error(JSON.stringify(answer));
    onAdded(agent);
    const { ips } = answer as { ips: { address: string }[] };
    const addresses = ips.map((ip) => ip.address.split('/')[0] ?? '');
    this.relabel({ ...shape, addresses });
    return { container, agent, address: addresses[0] ?? '', seconds };
  }

  /** The pod is this now. */
  relabel(shape: PodShape): void {
    this.api.put(PODS, pod(shape));
  }
}

const kubeconfig = (address: string, account: string) => `apiVersion: v1
kind: Config
current-context: lab
contexts:
- name: lab
  context: { cluster: lab, user: router }
clusters:
- name: lab
  cluster: { server: "https://${address}:${PORT}", certificate-authority: ${account}/ca.crt }
users:
- name: router
  user: { tokenFile: ${account}/token }
`;

export const statusOf = (host: Host) => ask<KubernetesStatus>(host.runDirectory, 'GET', '/kubernetes');
export const policiesOf = (host: Host) => ask<PolicyList>(host.runDirectory, 'GET', '/policies');

/** Waits until a host enforces so many policies. */
export async function enforces(host: Host, count: number): Promise<void> {
  await until(
    `${host.name} enforces ${count} policies`,
    async () => {
      const { policies, pending } = await policiesOf(host);
      return policies.length === count && !pending;
    },
    { every: 50 },
  );
}
