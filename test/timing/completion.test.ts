import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ApiServer, type RouterControl, serveApi } from '../../src/api/index.js';
import { run } from '../lab/command.js';
import { Terminal } from '../lab/terminal.js';
import { until } from '../lab/until.js';
import { environmentOf, hasProgram, installCompletions } from '../unit/cli/completions.js';
import { untested } from '../untested.js';

const TABS = 15;
/** What a person does not notice, ms. */
const LIMIT = 60;
/** Where the router does not answer, ms. */
const LIMIT_WITHOUT_ANSWER = 300;

/** Each prints how long each of some TABs took, in ms, for a line that is given, with a completion that is loaded anew before the first. */
const SHELLS: Readonly<Record<string, readonly string[]>> = {
  bash: [
    ...['bash', '--norc', '-c'],
    `for ((i = 0; i < ${TABS}; i++)); do
      begin=$EPOCHREALTIME; source "$0/weft.bash"; COMP_LINE=$1 COMP_POINT=\${#1}; _weft; end=$EPOCHREALTIME
      echo "$(((\${end/./} - \${begin/./}))) \${#COMPREPLY[@]}"
    done | while read -r time count; do echo "\${time%???} $count"; done`,
  ],
  fish: [
    ...['fish', '--no-config', '-c'],
    `source $argv[1]/weft.fish
    for i in (seq ${TABS})
      set -l begin (date +%s%N); set -l words (complete -C $argv[2]); set -l end (date +%s%N)
      echo (math "($end - $begin) / 1000000") (count $words)
    end`,
  ],
};

let installed: string;
let directory: string;
let server: ApiServer;
let deaf: Server;

beforeAll(async () => {
  [installed, directory] = [
    await mkdtemp(join(tmpdir(), 'weft-tab-')),
    await mkdtemp(join(tmpdir(), 'weft-tab-')),
  ];
  await installCompletions(installed);
  await writeFile(join(directory, 'empty.mjs'), '');
  const names = Array.from({ length: 1_000 }, (_, i) => ({ name: `name-${i}.weft.local` }));
  const router = {
    version: () => ({ version: '1', node: '', forwarder: null }),
    names: { list: () => names },
  };
  server = await serveApi({
    socketPath: join(directory, 'weft.sock'),
    router: router as unknown as RouterControl,
    onFault: () => {},
  });
  deaf = createServer(() => {}).listen(join(installed, 'weft.sock'));
});

afterAll(async () => {
  deaf?.close();
  await server?.close();
  for (const each of [installed, directory]) await rm(each, { recursive: true });
});

/** zsh completes at a prompt only. */
async function timesOfZsh(line: string, env: Record<string, string>): Promise<string> {
  const [times, path] = [join(directory, 'times'), join(directory, 'terminal')];
  const terminal = await Terminal.open(path, { columns: 80 });
  const zsh = terminal.start(['zsh', '-f', '-i'], { env: { ...env, TERM: 'dumb' } });
  const steps = [
    `fpath=(${installed} $fpath); autoload -U compinit; compinit -u -D; zmodload zsh/datetime; LISTMAX=10000`,
    `timed() { local begin=$EPOCHREALTIME; zle list-choices; print $(( (EPOCHREALTIME - begin) * 1000 )) $_lastcomp[nmatches] >>${times}; zle kill-whole-line }`,
    "zle -N timed; bindkey '^I' timed",
  ];
  await until('it prompts', () => terminal.text.includes('# '));
  for (const step of steps) terminal.type(`${step}\n`);
  for (let i = 0; i < TABS; i += 1) terminal.type(`${line}\t`);
  terminal.type('exit\n');
  await zsh.ends();
  await terminal.hangUp();
  const output = await readFile(times, 'utf8');
  for (const file of [times, path]) await rm(file, { force: true });
  return output;
}

/** The median time of a TAB after a line, ms, and how many words it offered. */
async function tab(shell: string, line: string, runDirectory = directory) {
  const env = environmentOf(installed, runDirectory);
  const script = SHELLS[shell];
  const output =
    script === undefined ? await timesOfZsh(line, env) : await run([...script, installed, line], { env });
  const tabs = output
    .trim()
    .split('\n')
    .map((text) => text.split(' ').map(Number));
  const times = tabs.map(([time = Number.NaN]) => time).sort((a, b) => a - b);
  return { median: times[Math.floor(times.length / 2)] ?? Number.NaN, offered: tabs.at(-1)?.[1] };
}

/** What it costs to start Node.js for nothing, median, ms: what a machine needs that is busy. */
async function nodeStart(): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < TABS; i += 1) {
    const begin = performance.now();
    await run([process.execPath, join(directory, 'empty.mjs')]);
    times.push(performance.now() - begin);
  }
  return times.sort((a, b) => a - b)[Math.floor(TABS / 2)] ?? Number.NaN;
}

describe.runIf(process.env.WEFT_LONG === '1').each(['bash', 'zsh', 'fish'])('a TAB in %s', (shell) => {
  const has = hasProgram(shell);
  if (!has) untested(`the time of a TAB in ${shell}`, `there is no ${shell}`);

  it.runIf(has)('is not noticed, and takes less than starting Node.js on a busy machine', async () => {
    const commands = await tab(shell, 'weft ');
    const names = await tab(shell, 'weft dns-lookup name-1');
    const node = await nodeStart();
    console.log(
      `a TAB in ${shell}: ${commands.median} ms, with names ${names.median} ms; node starts in ${node.toFixed(0)} ms`,
    );
    expect(commands.offered).toBeGreaterThan(30);
    expect(names.offered).toBe(111);
    for (const { median } of [commands, names]) expect(median).toBeLessThan(Math.max(LIMIT, node));
  });

  it.runIf(has)('gives up soon on a router that does not answer', async () => {
    const { median, offered } = await tab(shell, 'weft dns-lookup name-1', installed);
    expect(offered).toBe(0);
    expect(median).toBeLessThan(LIMIT_WITHOUT_ANSWER);
  });
});
