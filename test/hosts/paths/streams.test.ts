import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { attempt, type Host, lasting, type Running, Terminal, until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { traces } from '../pair.js';

const oneHost = () =>
  onLab(async (lab) => {
    const [a] = await lab.hosts(1);
    return { a };
  });

let terminals = 0;

function terminalAt(host: Host, columns: number): Promise<Terminal> {
  terminals += 1;
  return Terminal.open(join(host.directory, `terminal${terminals}`), { columns });
}

/** Launches on a terminal, and holds the router in the middle of it. */
async function launchHalfWay(host: Host, terminal: Terminal, controlling = true): Promise<Running> {
  const launching = terminal.start(host.weftCommand(['launch']), { env: host.environment, controlling });
  await until('the router begins', () => process.kill(host.daemon, 'SIGSTOP'), { within: 30_000, every: 1 });
  await until('it says so', () => terminal.text.includes('launching'));
  return launching;
}

describe('on a terminal', () => {
  const world = oneHost();

  test.each([0, 1, 80])('of %i columns a launch ends, and says little but all of it', async (columns) => {
    const { a } = world();
    const terminal = await terminalAt(a, columns);
    const launching = terminal.start(a.weftCommand(['launch']), { env: a.environment });
    expect((await launching.ends()).code).toBe(0);
    await until('it says how others join', () => terminal.text.includes('weft launch --token'));
    expect(terminal.text.length).toBeLessThan(2_000);
    await a.weft('reset');
  });

  test.each([
    'SIGINT',
    'SIGTERM',
  ] as const)('that loses its size a launch stays quiet, and %s ends it', async (signal) => {
    const { a } = world();
    const before = await traces(a);
    const terminal = await terminalAt(a, 80);
    const launching = await launchHalfWay(a, terminal);
    await terminal.resize(0);
    await lasting(0.5);
    expect(terminal.text.length).toBeLessThan(100);
    launching.signal(signal);
    process.kill(a.daemon, 'SIGCONT');
    expect((await launching.ends()).code).toBe(1);
    await a.isQuiet();
    await terminal.hangUp();
    expect(await traces(a)).toEqual(before);
  });

  test.each([
    true,
    false,
  ])('that goes away (told by the kernel: %s) a launch goes, too, and the router does not', async (controlling) => {
    const { a } = world();
    const terminal = await terminalAt(a, 80);
    const launching = await launchHalfWay(a, terminal, controlling);
    await terminal.hangUp();
    process.kill(a.daemon, 'SIGCONT');
    expect((await launching.ends()).code).toBe(128);
    await until('the router runs', () => a.report());
    await a.weft('reset');
  });

  test('that goes away a router stops that runs in its foreground', async () => {
    const { a } = world();
    const before = await traces(a);
    const terminal = await terminalAt(a, 80);
    const router = terminal.start(a.weftCommand(['launch', '--foreground']), { env: a.environment });
    await until('it runs', () => terminal.text.includes('is ready'), { within: 30_000 });
    await terminal.hangUp();
    expect((await router.ends()).code).toBe(128);
    await a.isQuiet();
    await a.weft('reset');
    expect(await traces(a)).toEqual(before);
  });

  test('a question that is closed with Ctrl-D is answered with no', async () => {
    const { a } = world();
    await a.launch();
    const terminal = await terminalAt(a, 80);
    const reset = terminal.start(a.weftCommand(['reset']), { env: a.environment });
    await until('it asks', () => terminal.text.includes('[y/N]'));
    terminal.type('\u0004');
    expect((await reset.ends()).code).toBe(2);
    expect(terminal.text).toContain('nothing was changed');
    expect((await a.report()).status.pid).toBe(a.daemon);
    await a.weft('reset');
  });
});

describe('a terminal that goes away', () => {
  const world = onLab(async (lab) => {
    const [a, b] = await lab.hosts(2);
    await a.launch();
    await b.launch({ token: await a.token() });
    await a.isConnectedTo(b);
    return { a, b };
  });

  test('takes a ping along, also untold by the kernel', async () => {
    const { a, b } = world();
    const terminal = await terminalAt(a, 80);
    const ping = ['ping', b.name, '--count', '1000'];
    const command = terminal.start(a.weftCommand(ping), { env: a.environment, controlling: false });
    await until('it pings', () => terminal.text.includes(`${b.name} (`));
    await terminal.hangUp();
    expect((await command.ends()).code).toBe(128);
  });
});

describe('a launch whose answer nobody takes', () => {
  const world = oneHost();

  test.each([
    ['a full disk', '"$@" >/dev/full', 1, /^weft: the router runs, but .*ENOSPC.*weft token/],
    ['full disks', '"$@" >/dev/full 2>/dev/full', 1, /^$/],
    ['a pipe without a reader', 'set -o pipefail; "$@" | true', 0, /^$/],
  ])('because of %s has launched', async (_, script, code, said) => {
    const { a } = world();
    const command = ['bash', '-c', script, 'bash', ...a.weftCommand(['launch'])];
    const ended = await attempt(command, { env: a.environment });
    expect(ended).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(said) });
    expect((await a.report()).status.pid).toBe(a.daemon);
    await a.weft('reset');
  });
});
