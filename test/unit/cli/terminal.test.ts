import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type ApiServer, type RouterControl, serveApi } from '../../../src/api/index.js';
import { attempt, type Environment } from '../../lab/command.js';
import { WEFT } from '../../lab/host.js';
import { leftoversFromNow } from '../../lab/leftovers.js';
import { Terminal } from '../../lab/terminal.js';

const REASON =
  'no packet of ours arrives there: is UDP port 6783 open on the way, and are packets let through?';

let directory: string;
let server: ApiServer;
let terminal: Terminal;
let endLeftovers: () => Promise<void>;

beforeEach(async () => {
  endLeftovers = leftoversFromNow();
  directory = await mkdtemp(join(tmpdir(), 'weft-terminal-'));
  const connection = {
    ...{ peer: '0123456789abcdef', nickname: 'host-b', link: 'up', udp: 'down', path: 'none' },
    ...{ viaNickname: null, endpoint: null, kernel: null, rtt: null, loss: null, pathMtu: null },
    ...{ cipher: null, sentBytes: 0, receivedBytes: 0, reason: REASON },
  };
  server = await serveApi({
    socketPath: join(directory, 'weft.sock'),
    router: { connections: async () => [connection] } as unknown as RouterControl,
    onFault: () => {},
  });
  terminal = await Terminal.open(join(directory, 'terminal'), { columns: 100 });
});

afterEach(async () => {
  await endLeftovers();
  await server.close();
  await rm(directory, { recursive: true });
});

/** What whoever runs the tests has set says nothing of colours here. */
const UNSET = { CI: undefined, FORCE_COLOR: undefined, NO_COLOR: undefined };

function environment(more: Record<string, string> = {}): Environment {
  return { ...UNSET, WEFT_RUN_DIR: directory, WEFT_STATE_DIR: directory, TERM: 'xterm', ...more };
}

/** What it writes to the terminal, in lines. */
async function onTerminal(args: readonly string[], more: Record<string, string> = {}): Promise<string[]> {
  const before = terminal.text.length;
  await terminal.start([WEFT, ...args], { env: environment(more) }).ends();
  return terminal.text.slice(before).replaceAll('\r', '').trimEnd().split('\n');
}

it('wraps a table to the lines of the terminal, and loses nothing', async () => {
  const lines = await onTerminal(['status', 'connections']);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
  expect(lines.length).toBeGreaterThan(2);
  for (const word of [...REASON.split(' '), '0123456789abcdef']) expect(lines.join('\n')).toContain(word);
});

it('has a line for each row where it is read by a program', async () => {
  const { stdout } = await attempt([WEFT, 'status', 'connections'], { env: environment() });
  expect(stdout.trimEnd().split('\n')).toEqual([expect.any(String), expect.stringContaining(REASON)]);
});

it('has colours on a terminal only, which NO_COLOR takes away, and in JSON never', {
  timeout: 60_000,
}, async () => {
  const isColoured = (text: string) => stripVTControlCharacters(text) !== text;
  const { stdout } = await attempt([WEFT, 'doctor'], { env: environment() });
  expect(stdout).toMatch(/^ok /m);
  expect(isColoured(stdout)).toBe(false);
  expect(isColoured((await onTerminal(['doctor'])).join('\n'))).toBe(true);
  expect(isColoured((await onTerminal(['doctor'], { NO_COLOR: '1' })).join('\n'))).toBe(false);
  expect(isColoured((await onTerminal(['doctor', '-o', 'json'])).join('\n'))).toBe(false);
});

it('asks no pager, and fits its help to the terminal', async () => {
  const lines = await onTerminal(['ps', '--help'], { PAGER: 'false', LESS: '' });
  expect(lines[0]).toBe('Usage: weft ps [options]');
  expect(lines).toContain(
    'Lists the attached containers of this host with their networks, MACs and addresses.',
  );
});
