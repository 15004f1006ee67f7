/** What this host offers and forbids, for `weft doctor`. Nothing here changes anything. */
import { constants } from 'node:fs';
import { access, open, readFile } from 'node:fs/promises';
import { release } from 'node:os';
import { delimiter, join } from 'node:path';
import Type from 'typebox';
import { systemCode } from '../errors.js';
import { validator } from '../validate.js';
import { run } from './command.js';

/** From linux/capability.h. */
const CAPABILITIES = { CAP_NET_ADMIN: 12, CAP_SYS_ADMIN: 21 } as const;

export type Capability = keyof typeof CAPABILITIES;

/** Major and minor version of the running kernel. */
export function kernelVersion(): readonly [number, number] {
  const [major = 0, minor = 0] = release().split(/[.-]/).map(Number);
  return [major, minor];
}

/** Those of the capabilities that weft needs which this process does not have. */
export async function missingCapabilities(): Promise<Capability[]> {
  const status = await readFile('/proc/self/status', 'utf8');
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  const names = Object.keys(CAPABILITIES) as Capability[];
  return names.filter((name) => ((effective >> BigInt(CAPABILITIES[name])) & 1n) === 0n);
}

/** Why TAP devices cannot be opened; undefined when they can. */
export async function tunFault(): Promise<string | undefined> {
  try {
    await (await open('/dev/net/tun', 'r+')).close();
    return undefined;
  } catch (error) {
    return systemCode(error) ?? String(error);
  }
}

/** Those of the commands that are not on the PATH. */
export async function missingCommands(names: readonly string[]): Promise<string[]> {
  const places = (process.env.PATH ?? '').split(delimiter);
  const found = await Promise.all(
    names.map(async (name) => {
      const tries = await Promise.all(places.map((place) => executable(join(place, name))));
      return tries.includes(true);
    }),
  );
  return names.filter((_, index) => !found[index]);
}

async function executable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

const Ruleset = Type.Object({
  nftables: Type.Array(
    Type.Object({
      chain: Type.Optional(
        Type.Object({
          family: Type.String(),
          table: Type.String(),
          name: Type.String(),
          hook: Type.Optional(Type.String()),
          policy: Type.Optional(Type.String()),
        }),
      ),
    }),
  ),
});
const parseRuleset = validator('nft-output', 'the output of nft', Ruleset);

/** Chains that drop forwarded packets unless a rule lets them pass, as `family table chain`. Rejects when nft cannot tell. */
export async function droppingForwardChains(): Promise<string[]> {
  const { nftables } = parseRuleset(JSON.parse(await run('nft', ['--json', 'list', 'chains'])));
  return nftables.flatMap(({ chain }) =>
    chain?.hook === 'forward' && chain.policy === 'drop'
      ? [`${chain.family} ${chain.table} ${chain.name}`]
      : [],
  );
}
