import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { describe, expect, test } from 'vitest';
import { type Host, Running, until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';

describe('a router', () => {
  const world = onLab(async (lab) => {
    const [a] = await lab.hosts(1);
    return { a };
  });

  test.each([
    'SIGHUP',
    'SIGPIPE',
    'SIGUSR1',
    'SIGUSR2',
    'SIGWINCH',
  ] as const)('goes on at %s, and nobody can connect to more than before', async (signal) => {
    const { a } = world();
    await a.launch();
    const { daemon } = a;
    for (let times = 0; times < 3; times += 1) {
      process.kill(daemon, signal);
      expect((await a.report()).status.pid).toBe(daemon); // it has seen the signal by then
    }
    expect(await ports(a)).toEqual([6782, 6783]);
    await a.weft('reset');
  });

  test.each([
    ['launch', '--foreground'],
    ...(process.env.WEFT_LONG === '1' ? [['prime']] : []),
  ])('opens no inspector while `weft %s` starts, either', async (...args) => {
    const { a } = world();
    if (args[0] === 'prime') await a.launch({ password: 'p', args: ['--ipalloc-init', 'consensus=2'] });
    const command = a.startWeft(...args);
    await until('Node takes the signal', () => catches(command.pid, 'SIGUSR1'), { every: 1 });
    command.signal('SIGUSR1');
    await command.says(/"ready"|waiting/, 30_000);
    expect(await ports(a)).toEqual([6782, 6783]);
    await command.stop('SIGTERM');
    await a.weft('reset');
  });

  test('opens no inspector that NODE_OPTIONS asks for', async () => {
    const { a } = world();
    const env = { ...a.environment, NODE_OPTIONS: '--inspect=0' };
    const { code } = await new Running(a.weftCommand(['launch']), { env }).ends();
    expect(code).toBe(0);
    expect(await ports(a)).toEqual([6782, 6783]);
    await a.weft('reset');
  });
});

/** TCP ports on which anything listens in the host's own namespace. */
async function ports(host: Host): Promise<number[]> {
  const listening = (await host.run(['ss', '-Hltn'])).trim().split('\n');
  const all = listening.map((line) => Number(/:(\d+)\s/.exec(line)?.[1]));
  return [...new Set(all)].sort((a, b) => a - b);
}

/** Whether a process has a handler for a signal. */
function catches(pid: number, signal: NodeJS.Signals): boolean {
  const [, mask = '0'] = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return ((BigInt(`0x${mask}`) >> BigInt(constants.signals[signal] - 1)) & 1n) === 1n;
}
