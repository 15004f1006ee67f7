import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Peer } from '../../../../src/api/index.js';
import { takeServiceManager } from '../../../../src/daemon/service/index.js';
import { type Run, ServiceManager } from '../../../../src/daemon/service/service-manager.js';
import { execute } from '../../../../src/spawn/index.js';
import { until } from '../../../lab/index.js';

const SELF = 4711;
const peer = (state: Peer['state']) => ({ state }) as Peer;

/** A router whose end the test decides, and whose peers it changes. */
function router(peers: Peer[]) {
  let [stop, end] = [() => {}, () => {}];
  const stopping = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const stopped = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { control: { peers: () => peers }, stopping, stopped, stop: () => stop(), end: () => end() };
}

/** A manager that hears by way of `run`; it watches where it has patience, microseconds. */
function managerOf(run: Run, patience?: string): ServiceManager {
  const watch = patience === undefined ? {} : { WATCHDOG_USEC: patience, WATCHDOG_PID: `${SELF}` };
  const manager = ServiceManager.take({ NOTIFY_SOCKET: '/run/notify', ...watch }, run, SELF);
  if (manager === undefined) throw new Error('there is no manager');
  return manager;
}

/** Hears as a manager does; `failing`: of how many first calls nothing comes through. */
function hearing(failing = 0) {
  const told: string[] = [];
  let calls = 0;
  const run: Run = async ([, , ...assignments]) => {
    calls++;
    if (calls <= failing) throw new Error('no');
    told.push(assignments.join(' '));
  };
  return { told, run, calls: () => calls };
}

const nothing = () => {};

test('a router hears of no manager where the environment names none', () => {
  expect(ServiceManager.take({ WATCHDOG_USEC: '30000000' }, async () => {})).toBeUndefined();
});

test('nothing in the environment tells what is started later whom to notify', () => {
  const environment = { NOTIFY_SOCKET: '/run/x', WATCHDOG_USEC: '1', WATCHDOG_PID: '1', PATH: '/bin' };
  ServiceManager.take(environment, async () => {});
  expect(environment).toEqual({ PATH: '/bin' });
});

test('a manager hears that the router works, and how many peers it has', async () => {
  const { told, run } = hearing();
  const one = router([peer('self'), peer('linked'), peer('known')]);
  await managerOf(run).follow(one, nothing);
  expect(told).toEqual(['--pid=4711 READY=1 STATUS=1 of 2 peers linked']);
  one.end();
});

test('a manager that watches hears that the router is alive, until it has stopped', async () => {
  const { told, run } = hearing();
  const peers = [peer('self'), peer('known')];
  const one = router(peers);
  await managerOf(run, '30000').follow(one, nothing);
  await until('three signs of life', () => told.filter((text) => text.endsWith('WATCHDOG=1')).length >= 3);
  peers.push(peer('linked'));
  await until('the new number of peers', () =>
    told.some((text) => text.includes('STATUS=1 of 2 peers linked')),
  );
  one.stop();
  await until('the end', () => told.includes('--pid=4711 STOPPING=1'));
  one.end();
  await one.stopped;
  const { length } = told;
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(told).toHaveLength(length);
});

test('what a manager missed it is told again, and the log says so once', async () => {
  const { told, run } = hearing(3);
  const failures: string[] = [];
  const one = router([peer('self')]);
  await managerOf(run, '30000').follow(one, (what) => failures.push(what));
  await until('what was missed', () => told.length > 0);
  expect(told[0]).toContain('READY=1');
  expect(failures).toEqual(['the service manager does not hear of this router: no']);
  one.end();
});

test('a watch over another process is not ours', async () => {
  const { told, run } = hearing();
  const environment = { NOTIFY_SOCKET: '/run/x', WATCHDOG_USEC: '1000', WATCHDOG_PID: '1' };
  const one = router([peer('self')]);
  await ServiceManager.take(environment, run, SELF)?.follow(one, nothing);
  expect(told).toEqual(['--pid=4711 READY=1 STATUS=0 of 0 peers linked']);
  one.end();
});

test('a slow notification is not followed by others that wait for it', async () => {
  let calls = 0;
  const one = router([peer('self')]);
  const slow: Run = async () => {
    calls++;
    if (calls > 1) await one.stopped;
  };
  await managerOf(slow, '3000').follow(one, nothing);
  await until('a second call', () => calls === 2);
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(calls).toBe(2);
  one.end();
});

const NOTIFIER = 'systemd-notify';
const hasNotifier = execFileSync('sh', ['-c', `command -v ${NOTIFIER} || true`]).length > 0;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'weft-notify-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

test.skipIf(!hasNotifier)('a real socket hears it, and no program that is started later', async () => {
  const socket = join(directory, 'notify');
  const receiver = spawn('socat', ['-u', `UNIX-RECV:${socket}`, 'STDOUT'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let heard = '';
  receiver.stdout.on('data', (piece: Buffer) => {
    heard += piece.toString();
  });
  await until('the socket', () => execFileSync('ls', [directory]).length > 0);
  process.env.NOTIFY_SOCKET = socket;
  const manager = takeServiceManager();
  const one = router([peer('self'), peer('linked')]);
  const failures: string[] = [];
  await manager?.follow(one, (what) => failures.push(what));
  one.stop();
  await until('the end', () => heard.includes('STOPPING=1'));
  one.end();
  receiver.kill();
  expect(failures).toEqual([]);
  expect(heard).toContain('READY=1\nSTATUS=1 of 1 peers linked');
  const { stdout } = await execute(['env'], { timeout: 5_000, longest: 65_536, input: '' });
  expect(stdout).not.toContain('NOTIFY_SOCKET');
});

test.skipIf(!hasNotifier)('a socket that is gone is told of in words', async () => {
  process.env.NOTIFY_SOCKET = join(directory, 'gone');
  const one = router([peer('self')]);
  const failures: string[] = [];
  await takeServiceManager()?.follow(one, (what) => failures.push(what));
  one.end();
  expect(failures).toEqual([
    expect.stringMatching(/^the service manager does not hear of this router: systemd-notify: exit code 1 /),
  ]);
});
