import { readdir } from 'node:fs/promises';
import Type from 'typebox';
import { validator } from '../validate.js';
import { CommandFailed, run } from './command.js';
import { setSysctl, sysctl } from './sysctl.js';

/** A subnet that the host has an address of, on one of weft's bridges. */
export interface ExposedSubnet {
  readonly bridge: string;
  /** Such as `10.32.0.0/12`. */
  readonly subnet: string;
  /** Whether what comes from it, and goes to it, gets the host's address. */
  readonly masquerade: boolean;
}

/** What a host lets through for weft's bridges. */
export interface Passage {
  /** Bridges between whose ports frames go. */
  readonly bridges: readonly string[];
  readonly exposed: readonly ExposedSubnet[];
}

/** Networks of Docker's own: what weft lets pass must not reach them past Docker's rules. */
const DOCKER_BRIDGES = ['docker0', 'br-*'];

/**
 * The packet filter's part in weft: one nftables table of our own (`weft-BRIDGE`), and, where Docker drops what is forwarded, rules in the
 * chain that Docker keeps for others (`DOCKER-USER`), marked by a comment: an accept in one table does not help against a drop in another.
 */
export class Firewall {
  readonly #table: string;
  /** As the kernel lists our table since we wrote it last. */
  #written: string | undefined;

  constructor(bridge: string) {
    this.#table = `weft-${bridge}`;
  }

  /** Brings our rules to this state. Rejects with `command-missing` when nft is not there. */
  async apply(passage: Passage): Promise<void> {
    const { exposed } = passage;
    if (exposed.some(({ masquerade }) => masquerade)) await forwardPackets(exposed);
    if (exposed.length > 0 || this.#written !== undefined) await this.#writeTable(exposed);
    await this.admit(passage);
  }

  /** Writes our table again when somebody changed or removed it. True when that was so. */
  async repair({ exposed }: Passage): Promise<boolean> {
    if (this.#written === undefined || (await this.#list()) === this.#written) return false;
    await this.#writeTable(exposed);
    return true;
  }

  /** Lets our packets pass Docker's chain, if there is one. */
  async admit(passage: Passage): Promise<void> {
    for (const family of await dockerFamilies()) {
      const found = await dockerRules(family);
      const wanted = admission(passage);
      const ours = found.filter(({ comment }) => comment === this.#table);
      if (ours.map(({ text }) => text).join('\n') === wanted.join('\n')) continue;
      await nft([
        ...ours.map(({ handle }) => `delete rule ${family} filter DOCKER-USER handle ${handle}`),
        // Each is put before the others: the last one first.
        ...[...wanted]
          .reverse()
          .map((rule) => `insert rule ${family} filter DOCKER-USER ${rule} comment "${this.#table}"`),
      ]);
    }
  }

  /** Removes all of our rules. */
  async remove(): Promise<void> {
    await this.admit({ bridges: [], exposed: [] });
    await nft([`table inet ${this.#table}`, `delete table inet ${this.#table}`]);
    this.#written = undefined;
  }

  async #writeTable(exposed: readonly ExposedSubnet[]): Promise<void> {
    const replaced = [`table inet ${this.#table}`, `delete table inet ${this.#table}`];
    await nft(exposed.length === 0 ? replaced : [...replaced, tableOf(this.#table, exposed)]);
    this.#written = exposed.length === 0 ? undefined : await this.#list();
  }

  async #list(): Promise<string | undefined> {
    return await run('nft', ['--stateless', 'list', 'table', 'inet', this.#table]).catch((error: unknown) => {
      if (error instanceof CommandFailed) return undefined;
      throw error;
    });
  }
}

/** Our table: masquerading, and the networks kept apart that the host is on. */
export function tableOf(table: string, exposed: readonly ExposedSubnet[]): string {
  const bridges = [...new Set(exposed.map(({ bridge }) => bridge))];
  const apart = bridges.flatMap((bridge) =>
    bridges.filter((other) => other !== bridge).map((other) => `iifname "${bridge}" oifname "${other}" drop`),
  );
  const masquerades = exposed.filter(({ masquerade }) => masquerade).flatMap(masqueradeRules);
  return `table inet ${table} {
    chain forward {
      type filter hook forward priority filter; policy accept;
      ${apart.join('\n')}
    }
    chain postrouting {
      type nat hook postrouting priority srcnat; policy accept;
      ${masquerades.join('\n')}
    }
  }`;
}

/** Both ways: the outside has no way to the subnet, and its containers need have none to the outside but by the host. */
function masqueradeRules({ bridge, subnet }: ExposedSubnet): string[] {
  const [ip, multicast] = subnet.includes(':') ? ['ip6', 'ff00::/8'] : ['ip', '224.0.0.0/4'];
  return [
    `oifname != "${bridge}" ${ip} saddr ${subnet} ${ip} daddr != { ${subnet}, ${multicast} } masquerade`,
    `oifname "${bridge}" ${ip} daddr ${subnet} ${ip} saddr != ${subnet} masquerade`,
    // To a neighbour by an address of the host that leads there: the answer must come back this way.
    `oifname "${bridge}" ${ip} daddr ${subnet} ${ip} saddr ${subnet} ct status dnat masquerade`,
  ];
}

/** Only what iptables understands, too: it refuses a whole table in which there is anything else. */
function admission({ bridges, exposed }: Passage): string[] {
  const inside = bridges.map((bridge) => `iifname "${bridge}" oifname "${bridge}" counter accept`);
  const outward = new Set(exposed.filter(({ masquerade }) => masquerade).map(({ bridge }) => bridge));
  return [
    ...inside,
    ...[...outward].flatMap((bridge) => [
      ...DOCKER_BRIDGES.map((docker) => `iifname "${bridge}" oifname "${docker}" counter return`),
      `iifname "${bridge}" counter accept`,
      `oifname "${bridge}" counter accept`,
    ]),
  ];
}

const Output = Type.Object({
  nftables: Type.Array(
    Type.Object({
      chain: Type.Optional(Type.Object({ family: Type.String(), table: Type.String(), name: Type.String() })),
      rule: Type.Optional(Type.Object({ handle: Type.Integer(), comment: Type.Optional(Type.String()) })),
    }),
  ),
});
const parseOutput = validator('nft-output', 'the output of nft', Output);

interface DockerRule {
  readonly handle: number;
  readonly comment: string | undefined;
  readonly text: string;
}

/** Where Docker has its chain for others. */
async function dockerFamilies(): Promise<string[]> {
  try {
    const { nftables } = parseOutput(JSON.parse(await run('nft', ['--json', 'list', 'chains'])));
    return nftables.flatMap(({ chain }) =>
      chain?.table === 'filter' && chain.name === 'DOCKER-USER' && ['ip', 'ip6'].includes(chain.family)
        ? [chain.family]
        : [],
    );
  } catch (error) {
    if (error instanceof CommandFailed) return []; // it may not look
    throw error;
  }
}

/** The rules of that chain; none when it is gone by now. */
async function dockerRules(family: string): Promise<DockerRule[]> {
  const list = ['list', 'chain', family, 'filter', 'DOCKER-USER'];
  try {
    const [json, text] = await Promise.all([
      run('nft', ['--json', ...list]),
      run('nft', ['--stateless', '--handle', ...list]),
    ]);
    const texts = new Map(
      [...text.matchAll(/^\s*(.*?)(?: comment ".*")? # handle (\d+)$/gm)].map(([, rule = '', handle]) => [
        Number(handle),
        rule,
      ]),
    );
    return parseOutput(JSON.parse(json)).nftables.flatMap(({ rule }) =>
      rule === undefined
        ? []
        : [{ handle: rule.handle, comment: rule.comment, text: texts.get(rule.handle) ?? '' }],
    );
  } catch (error) {
    if (error instanceof CommandFailed) return [];
    throw error;
  }
}

/** Lets the host forward. Where it has its own IPv6 way out from a router's advertisements, it goes on to take them. */
async function forwardPackets(exposed: readonly ExposedSubnet[]): Promise<void> {
  if (exposed.some(({ subnet }) => !subnet.includes(':'))) await switchOn('net/ipv4/ip_forward');
  if (!exposed.some(({ subnet }) => subnet.includes(':'))) return;
  if ((await sysctl('net/ipv6/conf/all/forwarding')) === '1') return;
  for (const name of await readdir('/proc/sys/net/ipv6/conf').catch(() => [])) {
    const accept = `net/ipv6/conf/${name}/accept_ra`;
    if (name !== 'all' && (await sysctl(accept)) === '1') await setSysctl(accept, '2');
  }
  await switchOn('net/ipv6/conf/all/forwarding');
}

async function switchOn(name: string): Promise<void> {
  if ((await sysctl(name)) !== '1') await setSysctl(name, '1');
}

async function nft(lines: readonly string[]): Promise<void> {
  if (lines.length > 0) await run('nft', ['--file', '-'], `${lines.join('\n')}\n`);
}
