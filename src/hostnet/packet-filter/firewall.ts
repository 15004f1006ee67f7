import { readdir } from 'node:fs/promises';
import Type from 'typebox';
import { Serial } from '../../order.js';
import { validator } from '../../validate.js';
import { CommandFailed, run, setSysctl, sysctl, sysctlNow } from '../kernel/index.js';

/** A subnet that the host has an address of, on one of weft's bridges. */
export interface ExposedSubnet {
  readonly bridge: string;
  /** Such as `10.32.0.0/12`. */
  readonly subnet: string;
  /** Whether what comes from it, and goes to it, gets the host's address. */
  readonly masquerade: boolean;
}

/** A container's port on one of weft's bridges that is in hairpin mode. */
export interface HairpinPort {
  readonly port: string;
  /** Of the container. */
  readonly mac: string;
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
  readonly #tables = new Map<Family, Written>();
  #looks = 0;
  readonly #work = new Serial();

  constructor(bridge: string) {
    this.#table = `weft-${bridge}`;
  }

  /** Brings our rules to this state. Rejects with `command-missing` when nft is not there. */
  apply(passage: Passage): Promise<void> {
    const { exposed } = passage;
    return this.#work.run(async () => {
      await forwardPackets(exposed);
      await this.#write('inet', exposed.length === 0 ? undefined : tableOf(this.#table, exposed));
      await this.#admit(passage);
    });
  }

  /** Has these ports return to a container only what is for itself; must be so before they are switched to hairpin mode. */
  guardHairpins(ports: readonly HairpinPort[]): Promise<void> {
    return this.#work.run(() =>
      this.#write('bridge', ports.length === 0 ? undefined : hairpinTable(this.#table, ports)),
    );
  }

  /**
   * False when somebody changed or removed one of our tables since we wrote them. Each takes a command: who asks every two seconds is told
   * about that of the bridges, on which less depends, every other time.
   */
  isIntact(): Promise<boolean> {
    return this.#work.run(async () => {
      this.#looks += 1;
      const looked = [...this.#tables].filter(([family]) => family === 'inet' || this.#looks % 2 === 0);
      const now = await Promise.all(looked.map(([family]) => this.#list(family)));
      return looked.every(([, { listed }], i) => now[i] === listed);
    });
  }

  /** Writes our tables again as they were. */
  rewrite(): Promise<void> {
    return this.#work.run(async () => {
      for (const [family, { text }] of [...this.#tables]) await this.#replace(family, text);
    });
  }

  /** Lets our packets pass Docker's chain, if there is one. */
  admit(passage: Passage): Promise<void> {
    return this.#work.run(() => this.#admit(passage));
  }

  /** Removes all of our rules. */
  remove(): Promise<void> {
    return this.#work.run(async () => {
      await this.#admit({ bridges: [], exposed: [] });
      await nft(this.#removal('inet'));
      await nft(this.#removal('bridge')).catch(unlessRefused); // by a kernel without that family
      this.#tables.clear();
    });
  }

  async #admit(passage: Passage): Promise<void> {
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

  /** Has our table of this family say this, or not be there. */
  async #write(family: Family, text: string | undefined): Promise<void> {
    if (this.#tables.get(family)?.text !== text) await this.#replace(family, text);
  }

  async #replace(family: Family, text: string | undefined): Promise<void> {
    await nft([...this.#removal(family), ...(text === undefined ? [] : [text])]);
    if (text === undefined) this.#tables.delete(family);
    else this.#tables.set(family, { text, listed: await this.#list(family) });
  }

  /** Also of one that is not there. */
  #removal(family: Family): string[] {
    return [`table ${family} ${this.#table}`, `delete table ${family} ${this.#table}`];
  }

  async #list(family: Family): Promise<string | undefined> {
    return await run('nft', ['--stateless', 'list', 'table', family, this.#table]).catch(unlessRefused);
  }
}

/** One of our tables: as we wrote it last, and as the kernel lists it since then. */
interface Written {
  readonly text: string;
  readonly listed: string | undefined;
}

type Family = 'inet' | 'bridge';

/**
 * A port in hairpin mode sends back to its container whatever goes to everybody, and what no port is known for: duplicate address detection
 * would find the container itself, and a bridge inside of it would learn its own machines at the wrong side.
 */
export function hairpinTable(table: string, ports: readonly HairpinPort[]): string {
  const same = ports.map(({ port }) => `"${port}" . "${port}"`);
  const own = ports.map(({ port, mac }) => `"${port}" . ${mac}`);
  return `table bridge ${table} {
    set same {
      type ifname . ifname
      elements = { ${same.join(', ')} }
    }
    set own {
      type ifname . ether_addr
      elements = { ${own.join(', ')} }
    }
    chain forward {
      type filter hook forward priority filter; policy accept;
      iifname . oifname @same iifname . ether daddr != @own drop
    }
  }`;
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
export async function forwardPackets(exposed: readonly ExposedSubnet[]): Promise<void> {
  for (const family of FAMILIES) {
    const subnets = exposed.filter((each) => each.masquerade && familyOf(each) === family);
    if (subnets.length === 0) continue;
    const everywhere = FORWARDING[family];
    if (family === 'ipv6' && (await sysctl(everywhere)) === '0') await keepRouterAdvertisements();
    for (const name of [everywhere, ...subnets.map(forwardingOf)]) await switchOn(name);
  }
}

async function keepRouterAdvertisements(): Promise<void> {
  for (const name of await readdir('/proc/sys/net/ipv6/conf').catch(() => [])) {
    const accept = `net/ipv6/conf/${name}/accept_ra`;
    if (name !== 'all' && (await sysctl(accept)) === '1') await setSysctl(accept, '2');
  }
}

/** The switches, in the writing of sysctl, of which somebody switched one off that what is masqueraded needs; one for all stands for those of bridges. */
export function forwardingFlaws(exposed: readonly ExposedSubnet[]): string[] {
  const isOff = (name: string) => sysctlNow(name) === '0';
  return FAMILIES.flatMap((family) => {
    const subnets = exposed.filter((each) => each.masquerade && familyOf(each) === family);
    if (subnets.length > 0 && isOff(FORWARDING[family])) return [FORWARDING[family]];
    return [...new Set(subnets.map(forwardingOf))].filter(isOff);
  }).map((name) => name.replaceAll('/', '.'));
}

const FAMILIES = ['ipv4', 'ipv6'] as const;
const FORWARDING = { ipv4: 'net/ipv4/ip_forward', ipv6: 'net/ipv6/conf/all/forwarding' };

function familyOf({ subnet }: ExposedSubnet): (typeof FAMILIES)[number] {
  return subnet.includes(':') ? 'ipv6' : 'ipv4';
}

function forwardingOf(subnet: ExposedSubnet): string {
  return `net/${familyOf(subnet)}/conf/${subnet.bridge}/forwarding`;
}

async function switchOn(name: string): Promise<void> {
  if ((await sysctl(name)) !== '1') await setSysctl(name, '1');
}

/** Nothing, where nft itself says no: what it was asked for is not there. */
function unlessRefused(error: unknown): undefined {
  if (!(error instanceof CommandFailed)) throw error;
}

async function nft(lines: readonly string[]): Promise<void> {
  if (lines.length > 0) await run('nft', ['--file', '-'], `${lines.join('\n')}\n`);
}
