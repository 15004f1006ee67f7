import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Container, type Host, type Lab, type Node, type Running, until } from '../../lab/index.js';

/** What `dig` printed. */
export interface Dug {
  /** `NOERROR`, `NXDOMAIN`, …, or `no answer`. */
  readonly status: string;
  readonly flags: readonly string[];
  /** As the server gave it back. */
  readonly question: string;
  /** The data of the answers. */
  readonly answers: readonly string[];
  readonly ttls: readonly number[];
  /** Whole lines. */
  readonly authority: readonly string[];
  /** Of the message, in bytes. */
  readonly size: number;
}

const SERVER = '169.254.53.53';
export const DOMAIN = 'weft.local';

type Argument = string | { readonly server: string };

/** Asks the host's server from inside a container, once, with arguments of `dig`. */
export async function dig(node: Node, ...args: readonly Argument[]): Promise<Dug> {
  const words = args.filter((arg) => typeof arg === 'string');
  const server = args.find((arg) => typeof arg === 'object')?.server ?? SERVER;
  const { stdout } = await node.attempt(['dig', `@${server}`, '+time=2', '+tries=1', '+nocookie', ...words]);
  const section = (name: string) => {
    const [, text = ''] = new RegExp(`;; ${name} SECTION:\n((?:.+\n)*)`).exec(stdout) ?? [];
    return text.split('\n').filter(Boolean);
  };
  const records = section('ANSWER').map((line) => line.split(/\s+/));
  return {
    status: /status: (\w+)/.exec(stdout)?.[1] ?? 'no answer',
    flags: /;; flags: ([\w ]*);/.exec(stdout)?.[1]?.split(' ') ?? [],
    question: /^;(\S+)/.exec(section('QUESTION')[0] ?? '')?.[1] ?? '',
    answers: records.map((fields) => fields.slice(4).join(' ')),
    ttls: records.map((fields) => Number(fields[1])),
    authority: section('AUTHORITY'),
    size: Number(/MSG SIZE\s+rcvd: (\d+)/.exec(stdout)?.[1] ?? 0),
  };
}

/** Waits until a question gets exactly these answers, in any order. */
export async function digs(
  node: Node,
  question: readonly string[],
  answers: readonly string[],
  within = 10_000,
): Promise<void> {
  const wanted = answers.toSorted().join();
  await until(
    `${node.name} is told ${wanted || 'nothing'} for ${question.join(' ')}`,
    async () => {
      const { status, answers: got } = await dig(node, ...question);
      if (status === 'no answer') throw new Error(status);
      if (got.toSorted().join() !== wanted) throw new Error(`${status} ${got.join()}`);
      return true;
    },
    { within },
  );
}

/** Three hosts with a container each, called c1, c2 and c3. */
export async function threeHosts(lab: Lab, args: string[] = []) {
  const hosts = await lab.hosts(3);
  const [a, b, c] = hosts;
  await a.launch({ args });
  const token = await a.token();
  await Promise.all([b, c].map((host) => host.launch({ token, args })));
  const containers = await Promise.all(
    hosts.map(async (host, index) => {
      const n = index + 1;
      const container = await host.container(`c${n}`);
      const addresses = [`10.32.0.${n}/24`, `fd32::${n}/64`];
      await host.weft('attach', container.namespace, ...addresses, '--name', `c${n}`);
      container.addresses.push(...addresses);
      return container;
    }),
  );
  const [c1, c2, c3] = containers as [Container, Container, Container];
  await everywhere([c1, c2, c3], ['c3.weft.local'], ['10.32.0.3']);
  return { a, b, c, c1, c2, c3, all: [c1, c2, c3] };
}

/** Waits until every one of these containers gets exactly these answers, in any order. */
export async function everywhere(
  containers: readonly Container[],
  question: readonly string[],
  answers: readonly string[],
  within = 10_000,
): Promise<void> {
  await Promise.all(containers.map((container) => digs(container, question, answers, within)));
}

/** Waits until every one of these containers is told exactly these addresses for a name below the domain, each once. */
export async function told(
  containers: readonly Container[],
  name: string,
  ...answers: string[]
): Promise<void> {
  await everywhere(containers, [`${name}.${DOMAIN}`], answers, 30_000);
}

/** Writes a resolv.conf for a host, in place, and gives its path. */
export function resolvConf(host: Host, ...servers: readonly string[]): string {
  const path = join(host.directory, 'resolv.conf');
  writeFileSync(path, servers.map((server) => `nameserver ${server}\n`).join(''));
  return path;
}

/** The addresses that libc finds in a container, in the order that it gives them, with these domains to search. */
export async function getent(container: Container, search: string, ...args: readonly string[]) {
  const path = join(container.host.directory, `${container.name}.resolv.conf`);
  writeFileSync(path, `nameserver ${SERVER}\n${search && `search ${search}\n`}`);
  const script = 'mount --bind "$0" /etc/resolv.conf && exec getent "$@"';
  const { stdout } = await container.attempt(['sh', '-c', script, path, ...args]);
  return [...new Set(stdout.match(/^\S+/gm))];
}

/** A real DNS server (dnsmasq) with these records, on all addresses of a node. */
export async function nameserver(node: Node, ...args: readonly string[]): Promise<Running> {
  const server = node.start([
    'dnsmasq',
    '--no-daemon',
    '--no-resolv',
    '--no-hosts',
    '--conf-file=/dev/null',
    '--user=root',
    ...args,
  ]);
  await until(`a DNS server runs on ${node.name}`, async () => {
    const { status } = await dig(node, 'weft.invalid', { server: '127.0.0.1' });
    return status !== 'no answer';
  });
  return server;
}
