import { join } from 'node:path';
import type { PolicyList } from '../../../src/api/index.js';
import { ask } from '../../../src/cli/client.js';
import { cleanPolicy } from '../../../src/policy/index.js';
import { type Container, type Host, type Lab, until } from '../../lab/index.js';
import { Agent } from '../../policies/agents.js';
import type { Probe } from '../../policies/cases.js';
import { partsOf } from '../../policies/model.js';
import { PODS, type PodCase, type PodName } from '../../policies/pods.js';
import { type Association, sctpArrives } from '../../policies/sctp.js';

/** How long an answer may take that must come, and how long is waited for one that must not, in milliseconds. */
export const PATIENCE = { answer: 8_000, silence: 300 };

type Cases<Name extends string> = Readonly<Record<Name, PodCase>>;

/** Two hosts with routers, and on them containers, each with an agent. */
export interface World<Name extends string = PodName> {
  a: Host;
  b: Host;
  cases: Cases<Name>;
  pods: Record<Name, Container>;
  agents: Record<Name, Agent>;
  /** Whether the first packet of an association of SCTP arrives, or the answer to it. */
  associates: (chunk: 'INIT' | 'INIT ACK', association: Association, within: number) => Promise<boolean>;
}

/** One with the containers of the table. */
export function policyWorld(lab: Lab): Promise<World> {
  return worldOf<PodName>(lab, PODS);
}

/** One with these containers. */
export async function worldOf<Name extends string>(lab: Lab, cases: Cases<Name>): Promise<World<Name>> {
  const [a, b] = await lab.hosts(2);
  await a.launch();
  await b.launch({ token: await a.token() });
  await a.isConnectedTo(b);
  const hosts = { a, b };
  const made = await Promise.all(
    Object.entries<PodCase>(cases).map(async ([name, { host, addresses, labels }]) => {
      const container = await hosts[host].container(name);
      const all = Object.entries(labels).flatMap(([key, value]) => ['--label', `${key}=${value}`]);
      const [ipv4, ipv6, ...others] = addresses;
      await container.attach('--name', name, ...all, `${ipv4}/24`, `${ipv6}/64`, ...others);
      return [name, container, await Agent.start(container)] as const;
    }),
  );
  return {
    ...{ a, b, cases },
    pods: Object.fromEntries(made.map(([name, container]) => [name, container])) as World<Name>['pods'],
    agents: Object.fromEntries(made.map(([name, , agent]) => [name, agent])) as World<Name>['agents'],
    associates: (chunk, association, within) => {
      const file = join(lab.directory, `sctp-${association.ports.join('-')}.pcap`);
      return sctpArrives(chunk, association, { within, file });
    },
  };
}

/** What is so, in the words of a table. */
export async function outcome<Name extends string>(
  { agents, pods, cases, associates }: World<Name>,
  probe: Probe<Name>,
): Promise<Probe<Name>> {
  const { source, destination, protocol, port, isIpv6, allowed } = partsOf(probe);
  const addressOf = (name: Name) => cases[name].addresses[isIpv6 ? 1 : 0];
  const within = allowed ? PATIENCE.answer : PATIENCE.silence;
  const answered =
    protocol === 'SCTP'
      ? await associates(
          'INIT',
          {
            ...{ from: pods[source], to: pods[destination], ports: [freshPort(), port] },
            addresses: [addressOf(source), addressOf(destination)],
          },
          within,
        )
      : await agents[source].probe(addressOf(destination), protocol, port, within);
  return probe.replace(/(yes|no)$/, answered ? 'yes' : 'no') as Probe<Name>;
}

let ports = 40_000;

/** One that nobody has sent from before. */
export function freshPort(): number {
  ports += 1;
  return ports;
}

/** What a host says about policies. */
export const listed = (host: Host) => ask<PolicyList>(host.runDirectory, 'GET', '/policies');
export const namesOf = ({ policies }: PolicyList) =>
  policies.map(({ namespace, name }) => `${namespace}/${name}`);
const objectsOf = ({ policies }: PolicyList) => JSON.stringify(policies.map(({ object }) => object));

/** Has both hosts enforce exactly these. */
export async function enforce({ a, b }: Pick<World, 'a' | 'b'>, policies: readonly object[]): Promise<void> {
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
