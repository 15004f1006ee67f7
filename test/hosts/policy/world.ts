import type { PolicyList } from '../../../src/api/index.js';
import { ask } from '../../../src/cli/client.js';
import { cleanPolicy } from '../../../src/policy/index.js';
import { type Container, type Host, type Lab, until } from '../../lab/index.js';
import { Agent } from '../../policies/agents.js';
import { PODS, type PodCase, type PodName } from '../../policies/pods.js';

/** Two hosts with routers, and on them the containers of the table, each with an agent. */
export interface World {
  a: Host;
  b: Host;
  pods: Record<PodName, Container>;
  agents: Record<PodName, Agent>;
}

/** Makes it. */
export async function policyWorld(lab: Lab): Promise<World> {
  const [a, b] = await lab.hosts(2);
  await a.launch();
  await b.launch({ token: await a.token() });
  await a.isConnectedTo(b);
  const hosts = { a, b };
  const made = await Promise.all(
    Object.entries<PodCase>(PODS).map(async ([name, { host, addresses, labels }]) => {
      const container = await hosts[host].container(name);
      const all = Object.entries(labels).flatMap(([key, value]) => ['--label', `${key}=${value}`]);
      await container.attach('--name', name, ...all, `${addresses[0]}/24`, `${addresses[1]}/64`);
      return [name, container, await Agent.start(container)] as const;
    }),
  );
  return {
    a,
    b,
    pods: Object.fromEntries(made.map(([name, container]) => [name, container])) as World['pods'],
    agents: Object.fromEntries(made.map(([name, , agent]) => [name, agent])) as World['agents'],
  };
}

/** What a host says about policies. */
export const listed = (host: Host) => ask<PolicyList>(host.runDirectory, 'GET', '/policies');
export const namesOf = ({ policies }: PolicyList) =>
  policies.map(({ namespace, name }) => `${namespace}/${name}`);
const objectsOf = ({ policies }: PolicyList) => JSON.stringify(policies.map(({ object }) => object));

/** Has both hosts enforce exactly these. */
export async function enforce({ a, b }: World, policies: readonly object[]): Promise<void> {
  const documents = policies.map((object) => ({ where: 'a policy', object }));
  const wanted = new Set(policies.map(keyOf));
  const names = namesOf(await listed(a)).filter((name) => !wanted.has(name));
  if (documents.length > 0) await ask(a.runDirectory, 'POST', '/policies', { documents });
  if (names.length > 0) await ask(a.runDirectory, 'DELETE', '/policies', { names });
  await agree(a, b);
}

function keyOf(policy: object): string {
  const { namespace, name } = cleanPolicy(policy, 'a policy').metadata;
  return `${namespace}/${name}`;
}

/** The first host's rules are in force when it has answered; the other one follows in its time. */
export async function agree(a: Host, b: Host): Promise<void> {
  const wanted = objectsOf(await listed(a));
  await until(
    `${b.name} enforces the same policies`,
    async () => {
      const found = await listed(b);
      return objectsOf(found) === wanted && !found.pending;
    },
    { every: 50 },
  );
}

/** A policy of the namespace `default`. */
export const policyOf = (name: string, spec: object) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name },
  spec,
});
