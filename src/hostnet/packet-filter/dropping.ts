/** What the host's packet filter does with frames between the ports of a bridge, as far as that follows from the bridge alone. */
import Type, { type Static } from 'typebox';
import { validator } from '../../validate.js';
import { run, sysctl } from '../kernel/index.js';

const Chain = Type.Object({
  family: Type.String(),
  table: Type.String(),
  name: Type.String(),
  hook: Type.Optional(Type.String()),
  policy: Type.Optional(Type.String()),
});
const Rule = Type.Object({
  family: Type.String(),
  table: Type.String(),
  chain: Type.String(),
  expr: Type.Array(Type.Record(Type.String(), Type.Unknown())),
});
const Ruleset = Type.Object({
  nftables: Type.Array(Type.Object({ chain: Type.Optional(Chain), rule: Type.Optional(Rule) })),
});
type Rule = Static<typeof Rule>;
type Statement = Rule['expr'][number];

const parseRuleset = validator('nft-output', 'the output of nft', Ruleset);

/** Where Docker lets others put rules; the router puts its own there when it is launched. */
const FOR_OTHERS = 'DOCKER-USER';

/** Families of the packet filter to which the kernel hands bridged frames (br_netfilter); none when it does not. */
export async function filteredFamilies(): Promise<string[]> {
  const [ipv4, ipv6] = await Promise.all(
    ['iptables', 'ip6tables'].map(
      async (name) => (await sysctl(`net/bridge/bridge-nf-call-${name}`)) === '1',
    ),
  );
  return [...(ipv4 ? ['ip'] : []), ...(ipv6 ? ['ip6'] : []), ...(ipv4 || ipv6 ? ['inet'] : [])];
}

/**
 * Chains that drop what goes between two ports of the bridge, as `family table chain`. With `isLaunching` what weft lets pass once its router
 * runs is taken for passed. Rejects when nft cannot tell.
 */
export async function droppingChains(
  bridge: string,
  families: readonly string[],
  isLaunching: boolean,
): Promise<string[]> {
  return chainsThatDrop(
    JSON.parse(await run('nft', ['--json', 'list', 'ruleset'])),
    bridge,
    families,
    isLaunching,
  );
}

/** The same of a ruleset as nft lists it. */
export function chainsThatDrop(
  listed: unknown,
  bridge: string,
  families: readonly string[],
  isLaunching: boolean,
): string[] {
  const { nftables } = parseRuleset(listed);
  const rules = nftables.flatMap(({ rule }) => (rule === undefined ? [] : [rule]));
  return nftables.flatMap(({ chain }) => {
    if (chain?.hook !== 'forward' || !families.includes(chain.family)) return [];
    const own = rules.filter(({ family, table }) => family === chain.family && table === chain.table);
    const verdict = new Walk(own, bridge, isLaunching).through(chain.name) ?? chain.policy;
    return verdict === 'drop' ? [`${chain.family} ${chain.table} ${chain.name}`] : [];
  });
}

type Verdict = 'accept' | 'drop';
/** Of a rule or a chain: what becomes of the packet, or that it goes on after this chain, or in it (undefined). */
type Outcome = Verdict | 'return' | undefined;

/** The way of a packet from one port of a bridge to another through the chains of a table. */
class Walk {
  readonly #rules: readonly Rule[];
  readonly #bridge: string;
  readonly #isLaunching: boolean;

  constructor(rules: readonly Rule[], bridge: string, isLaunching: boolean) {
    this.#rules = rules;
    this.#bridge = bridge;
    this.#isLaunching = isLaunching;
  }

  /** Undefined: it comes out of the chain at its end. */
  through(chain: string): Verdict | undefined {
    if (chain === FOR_OTHERS && this.#isLaunching) return 'accept';
    for (const rule of this.#rules.filter((each) => each.chain === chain)) {
      const outcome = this.#at(rule);
      if (outcome === 'return') return undefined;
      if (outcome !== undefined) return outcome;
    }
    return undefined;
  }

  /** A rule that asks for more than the interfaces holds for some packets only, which decides nothing. */
  #at({ expr }: Rule): Outcome {
    for (const statement of expr) {
      if ('match' in statement && this.#matches(statement.match) !== true) return undefined;
      if (CONDITIONS.some((name) => name in statement)) return undefined;
      if ('xt' in statement && !isComment(statement.xt))
        return isRejection(statement.xt) ? 'drop' : undefined;
      const outcome = this.#verdict('vmap' in statement ? this.#chosen(statement.vmap) : statement);
      if (outcome !== undefined) return outcome;
    }
    return undefined;
  }

  #verdict(statement: Statement): Outcome {
    if ('accept' in statement) return 'accept';
    if ('drop' in statement || 'reject' in statement) return 'drop';
    if ('return' in statement) return 'return';
    if ('goto' in statement) return this.through(targetOf(statement.goto)) ?? 'return';
    if ('jump' in statement) return this.through(targetOf(statement.jump));
    return undefined;
  }

  /** Undefined when it depends on something else than the interfaces. */
  #matches(match: unknown): boolean | undefined {
    if (!isObject(match) || !isInterface(match.left)) return undefined;
    const isOne = values(match.right).some((value) => isNamed(this.#bridge, value));
    if (match.op === '==' || match.op === 'in') return isOne;
    return match.op === '!=' ? !isOne : undefined;
  }

  /** The statement of a verdict map of interfaces; one without effect when it is another map, or holds none. */
  #chosen(vmap: unknown): Statement {
    if (!isObject(vmap) || !isInterface(vmap.key)) return {};
    const found = values(vmap.data).find(
      (entry) => Array.isArray(entry) && isNamed(this.#bridge, entry[0]) && isObject(entry[1]),
    );
    return Array.isArray(found) ? (found[1] as Statement) : {};
  }
}

/** Statements that let only some packets go on, which cannot be told here. */
const CONDITIONS = ['limit', 'quota', 'ct count'];
const INTERFACES: readonly unknown[] = ['iif', 'oif', 'iifname', 'oifname'];

/** What iptables wrote and nft has no words for. */
function isComment(xt: unknown): boolean {
  return isObject(xt) && xt.name === 'comment';
}

function isRejection(xt: unknown): boolean {
  return isObject(xt) && xt.type === 'target' && xt.name === 'REJECT';
}

function isInterface(expression: unknown): boolean {
  return isObject(expression) && isObject(expression.meta) && INTERFACES.includes(expression.meta.key);
}

function values(expression: unknown): readonly unknown[] {
  return isObject(expression) && Array.isArray(expression.set) ? expression.set : [expression];
}

function isNamed(bridge: string, pattern: unknown): boolean {
  if (typeof pattern !== 'string') return false;
  return pattern.endsWith('*') ? bridge.startsWith(pattern.slice(0, -1)) : pattern === bridge;
}

function targetOf(jump: unknown): string {
  return isObject(jump) ? String(jump.target) : '';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
