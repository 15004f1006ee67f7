import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { execute } from '../../../src/spawn/index.js';
import { Spawner } from '../../../src/spawn/spawner.js';
import { until } from '../../lab/index.js';

const LIMITS = { timeout: 10_000, longest: 64 * 1024 * 1024 };
const run = (command: readonly string[], input = '') => execute(command, { ...LIMITS, input });

/** What a command says, and the command. */
function started(spawner: Spawner, command: readonly string[], environment?: Record<string, string>) {
  let said = '';
  const output = (piece: Buffer) => {
    said += piece.toString();
  };
  const spawned = spawner.start(command, { output, errorOutput: output }, environment);
  return { spawned, said: () => said };
}

function attemptLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined; // the descriptor that read the directory
  }
}

describe('a command', () => {
  it('gets its input and gives both its outputs and its exit code', async () => {
    const found = await run(['sh', '-c', 'tr a-z A-Z; echo trouble >&2; exit 3'], 'hello');
    expect(found).toEqual({ ending: { kind: 'exit', code: 3 }, stdout: 'HELLO', stderr: 'trouble\n' });
  });

  it('takes and gives more than pipes hold', async () => {
    const input = 'weft'.repeat(2_000_000);
    const { stdout } = await run(['cat'], input);
    expect(stdout === input).toBe(true);
  });

  it('is not kept up by another that does not read its input', async () => {
    const spawner = new Spawner();
    const deaf = started(spawner, ['sleep', '60']);
    deaf.spawned.write('x'.repeat(10_000_000));
    const other = started(spawner, ['echo', 'here']);
    await other.spawned.ended;
    expect(other.said()).toBe('here\n');
    deaf.spawned.kill('SIGTERM');
    expect(await deaf.spawned.ended).toEqual({ kind: 'signal', signal: 'SIGTERM' });
  });

  it('that is not there, or must not be run, says so', async () => {
    expect((await run(['weft-nowhere'])).ending).toEqual({ kind: 'error', error: 'ENOENT' });
    expect((await run(['/etc/passwd'])).ending).toEqual({ kind: 'error', error: 'EACCES' });
  });

  it('is killed when it takes too long or says too much', async () => {
    const killed = { kind: 'signal', signal: 'SIGKILL' };
    expect(await execute(['sleep', '60'], { ...LIMITS, timeout: 50, input: '' })).toMatchObject({
      ending: killed,
    });
    const talker = await execute(['yes'], { ...LIMITS, longest: 100_000, input: '' });
    expect(talker.ending).toEqual(killed);
    expect(talker.stdout.length).toBeLessThanOrEqual(100_000);
  });

  it('has the environment that it is given, or ours', async () => {
    const spawner = new Spawner();
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`WEFT_${i}`, `yes=${i}`]));
    const given = started(spawner, ['/usr/bin/env'], many);
    const ours = started(spawner, ['/usr/bin/env']);
    await Promise.all([given.spawned.ended, ours.spawned.ended]);
    const lines = Object.entries(many).map(([name, value]) => `${name}=${value}\n`);
    expect(given.said()).toBe(lines.join(''));
    expect(ours.said()).toContain(`PATH=${process.env.PATH}`);
  });

  it('has no pipe of ours but its three, and the signals that everybody has', async () => {
    const spawner = new Spawner();
    const other = started(spawner, ['cat']);
    const { spawned, said } = started(spawner, [
      'sh',
      '-c',
      'ls -l /proc/$$/fd; grep -E "^Sig(Blk|Ign)" /proc/self/status',
    ]);
    await spawned.ended;
    other.spawned.end();
    expect(said().match(/^\S+ .* [0-2] -> pipe:/gm)).toHaveLength(3);
    const ours = readdirSync('/proc/self/fd').map((fd) => attemptLink(`/proc/self/fd/${fd}`));
    const more = [...said().matchAll(/ (\d\d*) -> (.*)$/gm)].filter(
      ([, fd, to]) => Number(fd) > 2 && !ours.includes(to),
    );
    expect(more).toEqual([]);
    // Two that glibc keeps for itself aside, which are the highest here.
    expect(said().match(/^Sig.*$/gm)).toEqual([
      expect.stringMatching(/^SigBlk:\s0{16}$/),
      expect.stringMatching(/^SigIgn:\s0{7}[01][08]0{7}$/),
    ]);
    expect(await other.spawned.ended).toEqual({ kind: 'exit', code: 0 });
  });

  it('is one of many at a time', async () => {
    const all = await Promise.all(
      Array.from({ length: 100 }, (_, i) => run(['sh', '-c', `cat; echo ${i}`], 'n')),
    );
    expect(all.map(({ stdout }) => stdout)).toEqual(all.map((_, i) => `n${i}\n`));
  });
});

describe('weft-spawn', () => {
  it('that is killed fails what it ran, and the next command starts another', async () => {
    const spawner = new Spawner();
    const { spawned } = started(spawner, ['sleep', '60']);
    await until('it runs', () => spawned.pid !== undefined);
    const parent = Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${spawned.pid}/status`, 'utf8'))?.[1]);
    expect(readFileSync(`/proc/${parent}/comm`, 'utf8')).toBe('weft-spawn\n');
    process.kill(parent, 'SIGKILL');
    expect(await spawned.ended).toEqual({ kind: 'error', error: 'EPIPE' });
    process.kill(spawned.pid ?? 0, 'SIGKILL');
    const next = started(spawner, ['echo', 'again']);
    expect(await next.spawned.ended).toEqual({ kind: 'exit', code: 0 });
    expect(next.said()).toBe('again\n');
  });

  it('keeps nobody from ending, and goes with whoever started it', async () => {
    const program = `
      import { execute } from './src/spawn/index.js';
      const { stdout } = await execute(['sh', '-c', 'echo $PPID'], { input: '', timeout: 10_000, longest: 100 });
      process.stdout.write(stdout);`;
    const pid = execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
      encoding: 'utf8',
      timeout: 20_000,
    }).trim();
    await until('it is gone', () => !existsSync(`/proc/${pid}`));
  });

  it('says what it is for, and takes no arguments', async () => {
    expect((await run(['build/native/weft-spawn', '--help'])).stdout).toContain('starts commands');
    const wrong = await run(['build/native/weft-spawn', 'sh']);
    expect(wrong).toMatchObject({
      ending: { kind: 'exit', code: 2 },
      stderr: expect.stringContaining('takes no arguments'),
    });
  });
});
