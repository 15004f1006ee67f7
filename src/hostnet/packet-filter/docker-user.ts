import Type from 'typebox';
import { validator } from '../../validate.js';
import { CommandFailed, run } from '../kernel/index.js';
import { nft } from './nft.js';
import type { Passage } from './passage.js';

/** Networks of Docker's own: what weft lets pass must not reach them past Docker's rules. */
const DOCKER_BRIDGES = ['docker0', 'br-*'];

/**
 * Brings the rules that let our packets pass Docker's chain to this state, if there is one. They are marked by a comment, so that what others
 * wrote there is left alone.
 */
export async function admitInDocker(mark: string, passage: Passage): Promise<void> {
  for (const family of await dockerFamilies()) {
    const found = await dockerRules(family);
    const wanted = admission(passage);
    const ours = found.filter(({ comment }) => comment === mark);
    if (ours.map(({ text }) => text).join('\n') === wanted.join('\n')) continue;
    await nft([
      ...ours.map(({ handle }) => `delete rule ${family} filter DOCKER-USER handle ${handle}`),
      // Each is put before the others: the last one first.
      ...[...wanted]
        .reverse()
        .map((rule) => `insert rule ${family} filter DOCKER-USER ${rule} comment "${mark}"`),
    ]);
  }
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
