import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ApiServer, type RouterControl, serveApi } from '../../../src/api/index.js';
import { attempt } from '../../lab/command.js';
import { leftoversFromNow } from '../../lab/leftovers.js';
import { Terminal } from '../../lab/terminal.js';
import { until } from '../../lab/until.js';
import { untested } from '../../untested.js';
import { environmentOf, hasProgram as has, installCompletions } from './completions.js';

/** What other hosts could be called, to run commands here. */
const HOSTILE = [
  '$(touch owned)',
  '`touch owned`',
  'a;touch owned',
  "a'; touch owned; '",
  'a\nb c',
  'a[$(touch owned)]',
  '\u001b]0;title\u0007',
  '--force',
  '~root',
  '*',
];

/** A busy machine takes its time to load all commands, ms. */
const LOADING = 60_000;

/** A directory that looks like an installed weft, with scripts of completions. */
let installed: string;
/** That of a router, which is the working directory of shells, too. */
let directory: string;
let server: ApiServer | undefined;
let endLeftovers: () => Promise<void>;

beforeAll(async () => {
  installed = await mkdtemp(join(tmpdir(), 'weft-installed-'));
  await installCompletions(installed);
}, LOADING);

afterAll(() => rm(installed, { recursive: true }));

beforeEach(async () => {
  endLeftovers = leftoversFromNow();
  directory = await mkdtemp(join(tmpdir(), 'weft-tab-'));
});

afterEach(async () => {
  await endLeftovers();
  await server?.close();
  server = undefined;
  await rm(directory, { recursive: true });
});

/** A router that knows these. */
async function serve(names: readonly string[]): Promise<void> {
  const router = {
    version: () => ({ version: '1.2.3', node: 'v20', forwarder: null }),
    peers: () => names.map((nickname, i) => ({ peer: `${i}`.repeat(16), nickname, self: false })),
    networks: { list: () => names.map((name) => ({ name })) },
    targets: () => names.map((target) => ({ target })),
  };
  server = await serveApi({
    socketPath: join(directory, 'weft.sock'),
    router: router as unknown as RouterControl,
    onFault: (error) => {
      throw error;
    },
  });
}

function environment(): Record<string, string> {
  return { ...environmentOf(installed, directory), HOME: directory, PS1: '> ', TERM: 'dumb' };
}

async function wordsOf(shell: readonly string[]): Promise<string[]> {
  const command = ['sh', '-c', 'cd "$1"; shift; exec "$@"', 'sh', directory, ...shell];
  const { stdout } = await attempt(command, { env: environment() });
  return stdout.split('\n').filter((line) => line !== '');
}

interface Shell {
  readonly program: string;
  /** Which words are offered at the end of this line. */
  readonly offers: (line: string) => Promise<string[]>;
}

const BASH = `source "$1"
COMP_LINE=$2 COMP_POINT=\${#2} COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'
compopt() { COMPREPLY=("files: $2"); }
_weft
printf '%s\\n' "\${COMPREPLY[@]}"`;

/** As the completion system calls it, with its own words for what it would add. */
const ZSH = `zmodload zsh/parameter
compadd() { while [[ $1 != -- ]] { shift }; shift; print -rl -- \${(M)@:#$PREFIX*} }
_describe() { print -rl -- \${\${(M)\${(P@)\${@[-1]}}:#$PREFIX*}%%:*} }
_files() { print "files: \${1+directories}" }
compset() { PREFIX=\${PREFIX#*=} }
words=(\${(z)2}); [[ $2 == *' ' ]] && words+=('')
CURRENT=$#words PREFIX=$words[-1]
source $1`;

const SHELLS: readonly Shell[] = [
  {
    program: 'bash',
    offers: (line) => wordsOf(['bash', '--norc', '-c', BASH, 'bash', join(installed, 'weft.bash'), line]),
  },
  {
    program: 'zsh',
    offers: (line) => wordsOf(['zsh', '-f', '-c', ZSH, 'zsh', join(installed, '_weft'), line]),
  },
  {
    program: 'fish',
    offers: async (line) => {
      const command = 'source $argv[1]; complete -C $argv[2]';
      const words = await wordsOf(['fish', '--no-config', '-c', command, join(installed, 'weft.fish'), line]);
      return words.map((word) => word.split('\t')[0] ?? '');
    },
  },
];

for (const { program } of SHELLS)
  if (!has(program)) untested(`completion in ${program}`, `there is no ${program}`);

describe.each(SHELLS.filter(({ program }) => has(program)))('a TAB in $program', ({ program, offers }) => {
  it.each([
    ['weft pi', ['ping']],
    ['weft dns-', ['dns-add', 'dns-lookup', 'dns-remove']],
    ['weft docker ', ['disable', 'enable', 'help', 'status']],
    ['weft help pe', ['peer']],
    ['weft docker enable --w', ['--write']],
    ['weft launch --no-d', ['--no-discovery', '--no-dns']],
    ['weft launch --cipher x', ['xsalsa20-poly1305']],
    ['weft status -o json pe', ['peers']],
    ['weft token ro', ['rotate']],
    ['weft nonsense ', []],
    ['weft launch --token ', []],
  ])('after "%s" offers %j, and starts no weft', async (line, words) => {
    expect((await offers(line)).sort()).toEqual(words);
    expect(await readdir(directory)).not.toContain('started');
  });

  it('completes the value after an equals sign', async () => {
    const [word = ''] = await offers('weft launch --cipher=x');
    expect(word.replace('--cipher=', '')).toBe('xsalsa20-poly1305');
  });

  it('offers what the router knows, and of that what begins so', async () => {
    await serve(['host-a', 'host-b', 'other']);
    expect(await offers('weft ping host')).toEqual(['host-a', 'host-b']);
    expect(await offers('weft network rm ')).toEqual(['host-a', 'host-b', 'other']);
    expect(await offers('weft attach web --network o')).toEqual(['other']);
    expect(await offers('weft forget host-a o')).toEqual(['other']);
  });

  it('asks the router that --run-dir names', async () => {
    await serve(['host-a']);
    expect(await offers(`weft ping --run-dir ${directory}/nowhere `)).toEqual([]);
    expect(await offers(`weft ping --run-dir=${directory} `)).toEqual(['host-a']);
  });

  it('offers no name that a shell could take for more than a word', async () => {
    await serve([...HOSTILE, 'harmless']);
    expect(await offers('weft ping ')).toEqual(['harmless']);
    expect(await offers('weft network rm ')).toEqual(['harmless']);
  });

  it('runs nothing that stands on the line', async () => {
    for (const word of HOSTILE.filter((text) => !text.includes('\n'))) {
      await offers(`weft ${word} `);
      await offers(`weft launch -${word} --out`);
      await offers(`weft ping --${word}=`);
      await offers(`weft ping ${word}`);
    }
    expect(await readdir(directory)).not.toContain('owned');
  });

  it('goes on without a router, and with one that does not answer', async () => {
    expect(await offers('weft ping ')).toEqual([]);
    const deaf = createServer(() => {}).listen(join(directory, 'weft.sock'));
    try {
      expect(await offers('weft ping ')).toEqual([]);
      expect(await offers('weft pi')).toEqual(['ping']);
    } finally {
      deaf.close();
    }
  });

  it.skipIf(program === 'fish')('leaves files and directories to the shell', async () => {
    expect(await offers('weft launch --password-file ')).toEqual([expect.stringMatching(/^files: /)]);
    expect(await offers('weft policy apply -f ')).toEqual([expect.stringMatching(/^files: /)]);
  });
});

describe.runIf(has('fish'))('a TAB in fish', () => {
  it('tells what words mean, and has files', async () => {
    const command = 'source $argv[1]; complete -C "weft pi"; complete -C "weft policy apply -f we"';
    const lines = await wordsOf(['fish', '--no-config', '-c', command, join(installed, 'weft.fish')]);
    expect(lines[0]).toBe('ping\tmeasure the way to another router');
    await writeFile(join(directory, 'web.yaml'), '');
    expect(await wordsOf(['fish', '--no-config', '-c', command, join(installed, 'weft.fish')])).toContain(
      'web.yaml',
    );
  });
});

const BASH_COMPLETION = '/usr/share/bash-completion/bash_completion';

describe.each([
  ['bash', ['bash', '--norc', '--noprofile', '-i'], () => `source ${join(installed, 'weft.bash')}`],
  ['bash with bash-completion', ['bash', '--norc', '--noprofile', '-i'], bashWithCompletions],
  ['zsh', ['zsh', '-f', '-i'], () => `fpath=(${installed} $fpath); autoload -U compinit; compinit -u -D`],
  ['fish', ['fish', '--no-config', '-i'], () => `source ${join(installed, 'weft.fish')}`],
] as const)('at a prompt of %s', (_, command, preparation) => {
  it.runIf(has(command[0]))('a TAB writes the rest of the word', { timeout: 60_000 }, async () => {
    await serve(['host-a:6783', 'other']);
    const terminal = await Terminal.open(join(directory, 'terminal'), { columns: 200 });
    terminal.start(command, { env: environment() });
    await until('it prompts', () => /[>#] /.test(terminal.text));
    terminal.type(`cd ${directory}; ${preparation()}; ${prompts(command[0])}\n`);
    await until('it is ready', () => terminal.text.includes('ready> '));
    const typed = ['pin\t', 'launch --ciph\taes\t', 'launch --log-level=d\t', 'ping o\t', 'forget host-a:\t'];
    for (const keys of typed) terminal.type(`weft ${keys}\n`);
    const started = join(directory, 'started');
    const commands = () => (existsSync(started) ? readFileSync(started, 'utf8').trim().split('\n') : []);
    await until(
      'all commands were given',
      () => commands().length === typed.length || Promise.reject(new Error(JSON.stringify(terminal.text))),
    );
    expect(commands()).toEqual([
      'ping',
      'launch --cipher aes-256-gcm',
      'launch --log-level=debug',
      'ping other',
      'forget host-a:6783',
    ]);
  });
});

/** In two parts, which are one only when it is shown. */
function prompts(shell: string): string {
  return shell === 'fish' ? "function fish_prompt; echo -n 'rea''dy> '; end" : "PS1='rea''dy> '";
}

/** As the package loads it, from a directory of the user's. */
function bashWithCompletions(): string {
  const place = join(directory, 'completions');
  return `mkdir -p ${place}/completions; cp ${join(installed, 'weft.bash')} ${place}/completions/weft; export BASH_COMPLETION_USER_DIR=${place}; source ${BASH_COMPLETION}`;
}
