import ipaddr from 'ipaddr.js';
import Type, { type Static } from 'typebox';
import { validator } from '../../validate.js';
import { run } from '../kernel/index.js';

/** Somebody who claimed what is another's. */
export interface Refusal {
  readonly port: string;
  /** A MAC or an IP address. */
  readonly claimed: string;
}

const Ruleset = Type.Object({
  nftables: Type.Array(
    Type.Object({
      counter: Type.Optional(Type.Object({ name: Type.String(), packets: Type.Number() })),
      set: Type.Optional(Type.Object({ elem: Type.Optional(Type.Array(Type.Unknown())) })),
    }),
  ),
});
/** What `nft --json` prints, as far as it matters here. */
export type Ruleset = Static<typeof Ruleset>;
const parseRuleset = validator('nft-output', 'the output of nft', Ruleset);

const Element = Type.Object({
  elem: Type.Object({ val: Type.Object({ concat: Type.Array(Type.String()) }) }),
});
const parseElement = validator('nft-output', 'an element in the output of nft', Element);

/** Of an element of a set of those who were refused. */
export function refusalOf(element: unknown): Refusal[] {
  const [port, claimed] = parseElement(element).elem.val.concat;
  if (port === undefined || claimed === undefined) return [];
  return [{ port, claimed: claimed.startsWith('0x') ? addressOf(claimed) : claimed }];
}

/** Packets, by the counter's name. */
export function countersOf({ nftables }: Ruleset): Record<string, number> {
  return Object.fromEntries(
    nftables.flatMap(({ counter }) => (counter === undefined ? [] : [[counter.name, counter.packets]])),
  );
}

/** Without handles, and without what counts. */
export function shapeOf({ nftables }: Ruleset): string {
  return JSON.stringify(nftables, (key, value) =>
    key === 'handle' || key === 'packets' || key === 'bytes' ? undefined : value,
  );
}

/** As the rules have it, or shorter: the kernel leaves zeros in front out. */
function addressOf(hex: string): string {
  const bytes = Buffer.from(hex.slice(2).padStart(32, '0'), 'hex');
  return ipaddr.fromByteArray([...bytes]).toString();
}

/** What nft lists. */
export async function nftJson(args: readonly string[]): Promise<Ruleset> {
  return parseRuleset(JSON.parse(await run('nft', ['--json', ...args])));
}
