import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ApiServer, type Report, type RouterControl, serveApi } from '../../../src/api/index.js';
import { WeftError } from '../../../src/errors.js';
import { packageRoot, weftVersion } from '../../../src/version.js';
import { WEFT } from '../../lab/host.js';

describe('the weft command', () => {
  let directory: string;
  let server: ApiServer | undefined;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'weft-cli-'));
  });

  afterEach(async () => {
    await server?.close();
    server = undefined;
    await rm(directory, { recursive: true, force: true });
  });

  interface Result {
    code: number;
    stdout: string;
    stderr: string;
  }

  /** Runs the command in a process of its own. */
  function weft(...args: string[]): Promise<Result> {
    return weftIn('exec "$@"', ...args);
  }

  /** Runs a shell script in which it is "$@". */
  function weftIn(script: string, ...args: string[]): Promise<Result> {
    const env = { ...process.env, WEFT_RUN_DIR: directory, WEFT_STATE_DIR: join(directory, 'state') };
    const command = ['-o', 'pipefail', '-c', script, 'bash', WEFT, ...args];
    return new Promise((resolve) => {
      execFile('bash', command, { env, cwd: packageRoot() }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      });
    });
  }

  /** Serves a router that can do only what a test needs of it. */
  async function serve(router: Partial<RouterControl>): Promise<void> {
    const version = () => ({ version: '1.2.3', node: 'v20', forwarder: '1.2.3' });
    server = await serveApi({
      socketPath: join(directory, 'weft.sock'),
      router: { version, ...router } as RouterControl,
      onFault: (error) => {
        throw error;
      },
    });
  }

  it('lists its commands, and each of them teaches how it is used', async () => {
    const { code, stdout } = await weft();
    expect(code).toBe(0);
    const commands = [...stdout.matchAll(/^ {2}([a-z][a-z-]*) {2,}\S/gm)].map(([, name]) => name);
    expect(commands).toEqual(
      'launch token connect forget doctor demo attach detach ps docker cni kubernetes status ping check trace events wait report dns-add dns-remove dns-lookup network policy expose hide prime peer rmpeer stop upgrade restart-forwarder reset uninstall version help'.split(
        ' ',
      ),
    );
    const help = await weft('attach', '--help');
    expect(help.stdout).toContain('weft attach web 10.32.0.1/12');
    for (const option of ['--output', '--run-dir', '--state-dir']) expect(help.stdout).toContain(option);
  });

  it('tells its version', async () => {
    const { code, stdout } = await weft('--version');
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${weftVersion()}\n` });
  });

  it.each([
    [['nonsense'], /unknown command/],
    [['status', 'weather'], /weather/],
    [['launch', '--port', '0'], /1 to 65535/],
    [['launch', 'a:b:c'], /not an address/],
    [['launch', '224.0.0.1'], /"224\.0\.0\.1" is not an address: it is the address of a group/],
    [['launch', '--advertise', 'LOCALHOST'], /every host is that itself/],
    [['launch', '--advertise', 'http://vpn.example'], /it is a URL/],
    [['launch', '--advertise', ''], /neither an IP address nor a DNS name/],
    [['launch', '--status-addr', '0.0.0.0'], /lets other hosts read .*--status-public/],
    [['launch', '--status-addr', '[2001:db8::1]:6782'], /lets other hosts read .*--status-public/],
    [['launch', '--status-addr', 'localhost'], /is an IP address of this host/],
    [['launch', '--status-public'], /with --status-addr only/],
    [['connect', '[::ffff:10.0.0.1]:6783'], /write 10\.0\.0\.1/],
    [['token', 'make', '169.254.1.1'], /one link only/],
    [['launch', '--token', 'x', '--password', 'y'], /only one of/],
    [['launch', '--workers', '17'], /'--workers <count>'.*'17'.*auto or a whole number from 1 to 16/],
    [['launch', '--udp-ports', '0'], /'--udp-ports <count>'.*'0'.*a whole number from 1 to 16/],
    [['launch', '--udp-ports', '17'], /'17'.*a whole number from 1 to 16/],
    [['launch', '--no-offload', 'nonsense'], /'nonsense'.*one of tap-csum, .*udp-gro/],
    [['launch', '--storm-limit', 'few'], /none or a whole number from 0 to 10000000/],
    [['connect'], /missing required argument/],
    [['token', 'show', 'host-a'], /make/],
  ])('says what is wrong with `weft %j` and ends with 2', async (args, reason) => {
    const { code, stdout, stderr } = await weft(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(reason);
    expect(stderr).toMatch(/^weft: /);
  });

  it('refuses a password file that is UTF-16, and shows nothing of the password', async () => {
    const file = join(directory, 'password');
    await writeFile(file, Buffer.from('\ufeffsecret', 'utf16le'));
    const { code, stderr } = await weft('launch', '--password-file', file);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `weft: the password file ${file} is UTF-16 (ff fe at byte 0): save it as UTF-8 without a byte order mark\n`,
    });
  });

  it('says that the router is not running, what to do, and ends with 3', async () => {
    const { code, stderr } = await weft('status');
    expect(code).toBe(3);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(/^weft: the router is not running .*weft launch/);
  });

  it("prints the router's error in one line and ends with 1", async () => {
    await serve({
      attach: async () => {
        throw new WeftError('address-used', '10.0.0.1 is used: choose another');
      },
    });
    expect(await weft('attach', 'web', '10.0.0.1/8')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'weft: 10.0.0.1 is used: choose another\n',
    });
  });

  it('shows a table, or with -o json the same for programs', async () => {
    const attachment = {
      target: 'web',
      id: '0123456789ab'.repeat(4),
      name: 'web',
      network: 'default',
      interface: 'ethweft',
      mac: null,
      addresses: ['10.0.0.1/8'],
      floating: [],
      labels: {},
      present: false,
      sharedWith: [],
    };
    await serve({ attachments: () => [attachment] });
    const { stdout } = await weft('ps');
    expect(stdout).toBe(
      [
        'CONTAINER  ID            NETWORK  INTERFACE       MAC  ADDRESSES',
        'web        0123456789ab  default  ethweft (gone)  -    10.0.0.1/8',
        '',
      ].join('\n'),
    );
    expect(JSON.parse((await weft('ps', '-o', 'json')).stdout)).toEqual([attachment]);
    await serve({ attachments: () => [{ ...attachment, labels: { tier: 'web', app: 'shop' } }, attachment] });
    const lines = (await weft('ps')).stdout.split('\n');
    expect(lines.map((line) => line.split('10.0.0.1/8')[1])).toEqual([
      undefined,
      '  app=shop tier=web',
      '',
      undefined,
    ]);
  });

  it.each([
    ['app', '"app" is no label: give KEY=VALUE'],
    ['-app=shop', 'cannot be the key of a label'],
  ])('attaches nothing with --label %s', async (label, why) => {
    await serve({
      attach: async () => {
        throw new Error('it was asked');
      },
    });
    const { code, stderr } = await weft('attach', 'web', `--label=${label}`);
    expect([code, stderr.trim().split('\n').length]).toEqual([2, 1]);
    expect(stderr).toContain(why);
  });

  it('gives a container all labels that --label names', async () => {
    const asked: unknown[] = [];
    await serve({
      attach: async ({ labels }: { readonly labels?: unknown }) => {
        asked.push(labels);
        throw new WeftError('no-such-container', 'it ends here');
      },
    });
    await weft('attach', 'web', '--label', 'app=shop', '--label', 'note=a=b c', '--label', 'empty=');
    await weft('attach', 'web');
    expect(asked).toEqual([{ app: 'shop', note: 'a=b c', empty: '' }, undefined]);
  });

  it('prints with -q what other commands take, one a line, and nothing when there is nothing', async () => {
    const networks = { list: () => [{ name: 'default' }, { name: 'blue' }] };
    const policies = { list: async () => ({ policies: [{ namespace: 'default', name: 'deny' }] }) };
    const peers = () => [{ peer: 'aa' }, { peer: 'bb' }];
    await serve({ networks, policies, peers, attachments: () => [] } as unknown as RouterControl);
    expect((await weft('network', 'ls', '-q')).stdout).toBe('default\nblue\n');
    expect((await weft('policy', 'ls', '-q')).stdout).toBe('default/deny\n');
    expect((await weft('status', 'peers', '--quiet')).stdout).toBe('aa\nbb\n');
    expect(await weft('ps', '-q')).toEqual({ code: 0, stdout: '', stderr: '' });
    const { code, stderr } = await weft('status', '-q');
    expect({ code, stderr }).toEqual({ code: 2, stderr: 'weft: --quiet is for subjects that are lists\n' });
    expect((await weft('ps', '-q', '-o', 'json')).stderr).toMatch(/'-q, --quiet' cannot be used with/);
  });

  const TELLING = [[['--help']], [['report']], [['ping', 'b', '-c', '9']]];

  /** One that has much to tell. */
  async function serveMuch(): Promise<void> {
    await serve({
      report: async () => ({ text: 'x'.repeat(1_000_000) }) as unknown as Report,
      paths: {
        ping: async (peer: string) => ({ peer, nickname: 'b', path: 'direct', viaNickname: null, rtt: 1 }),
      } as never,
    });
  }

  it.each(TELLING)('ends quietly when nobody reads what `weft %j` says', async (args) => {
    await serveMuch();
    for (const reader of ['true', 'head -c 1 >/dev/null']) {
      expect(await weftIn(`"$@" | ${reader}`, ...args)).toEqual({ code: 0, stdout: '', stderr: '' });
    }
  });

  it.each(TELLING)('says in one line that the disk is full for what `weft %j` says', async (args) => {
    await serveMuch();
    const complaint = {
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^weft: .*ENOSPC, no space left on device.*\n$/),
    };
    expect(await weftIn('"$@" >/dev/full', ...args)).toEqual(complaint);
    expect(await weftIn('"$@" >/dev/full 2>/dev/full', ...args)).toEqual({ ...complaint, stderr: '' });
  });

  it('notices a disk that takes a part only', async () => {
    const limited = 'trap "" XFSZ; ulimit -f 1; "$@" >"$WEFT_RUN_DIR/help"';
    expect(await weftIn(limited, 'launch', '--help')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^weft: .*EFBIG.*\n$/),
    });
  });

  it('keeps the exit code of a failure that nobody reads', async () => {
    for (const streams of ['2>/dev/full', '2>&1 | true', '>&- 2>&-']) {
      expect(await weftIn(`"$@" ${streams}`, 'status')).toEqual({ code: 3, stdout: '', stderr: '' });
    }
  });

  it('stops what is not running without complaint', async () => {
    const { code, stdout } = await weft('stop');
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'stopped: no router was running\n' });
  });
});
