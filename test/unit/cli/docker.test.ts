import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type ApiServer,
  type DockerControl,
  type DockerStatus,
  type RouterControl,
  serveApi,
} from '../../../src/api/index.js';
import { DNS_SERVER, withDns, writeDns } from '../../../src/cli/docker-config.js';
import { WeftError } from '../../../src/errors.js';
import { RESOLVER_ADDRESS } from '../../../src/hostnet/index.js';
import { packageRoot } from '../../../src/version.js';
import { WEFT } from '../../lab/host.js';

const STATUS: DockerStatus = {
  enabled: true,
  socket: '/run/docker/plugins/weft.sock',
  listening: true,
  engine: { socket: '/var/run/docker.sock', reachable: true },
  networks: [
    {
      id: 'a'.repeat(64),
      name: 'weft',
      network: 'default',
      subnets: ['10.32.0.0/12'],
      endpoints: 2,
      fault: null,
    },
  ],
  ready: true,
  faults: [],
};

test('the DNS server that Docker is told is the one on every segment', () => {
  expect(DNS_SERVER).toBe(RESOLVER_ADDRESS);
});

describe('the configuration of dockerd', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'weft-config-'));
  });

  afterEach(() => rm(directory, { recursive: true }));

  test('gets the DNS server first, once, and keeps all else', () => {
    const before = '{"log-driver": "json-file", "dns": ["192.0.2.1"], "x": {"y": [1]}}';
    const after = withDns(before, 'weft.local', 'f');
    expect(JSON.parse(after)).toEqual({
      'log-driver': 'json-file',
      dns: ['169.254.53.53', '192.0.2.1'],
      x: { y: [1] },
      'dns-search': ['weft.local'],
    });
    expect(withDns(after, 'weft.local', 'f')).toBe(after);
  });

  test.each([
    '{',
    '[]',
    'null',
    '"x"',
    '{"dns": "192.0.2.1"}',
  ])('is left alone where it is %s', async (text) => {
    const path = join(directory, 'daemon.json');
    await writeFile(path, text);
    await expect(writeDns('weft.local', path)).rejects.toMatchObject({ code: 'bad-docker-config' });
    expect(await readFile(path, 'utf8')).toBe(text);
  });

  test('is made where there is none, and stays where and what it is', async () => {
    const path = join(directory, 'docker', 'daemon.json');
    await writeDns('weft.local', path);
    expect((await stat(path)).mode & 0o777).toBe(0o644);
    await writeFile(join(directory, 'real.json'), '', { mode: 0o600 });
    await symlink(join(directory, 'real.json'), join(directory, 'link.json'));
    await writeDns('weft.local', join(directory, 'link.json'));
    expect(JSON.parse(await readFile(join(directory, 'real.json'), 'utf8'))).toHaveProperty('dns');
    expect((await stat(join(directory, 'real.json'))).mode & 0o777).toBe(0o600);
    expect((await readdir(directory)).sort()).toEqual(['docker', 'link.json', 'real.json']);
  });
});

describe('weft docker', () => {
  let directory: string;
  let server: ApiServer;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'weft-cli-'));
  });

  afterEach(async () => {
    await server.close();
    await rm(directory, { recursive: true });
  });

  async function serve(docker: Partial<DockerControl>): Promise<void> {
    server = await serveApi({
      socketPath: join(directory, 'weft.sock'),
      router: { docker, status: async () => ({ dns: 'weft.local' }) } as unknown as RouterControl,
      onFault: () => {},
    });
  }

  function weft(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const options = { env: { ...process.env, WEFT_RUN_DIR: directory }, cwd: packageRoot() };
    return new Promise((resolve) => {
      execFile(WEFT, ['docker', ...args], options, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      });
    });
  }

  test('enable waits for the network, and says what to type next', async () => {
    let asked = 0;
    const seen: boolean[] = [];
    await serve({
      setEnabled: async (enabled) => {
        seen.push(enabled);
        return { ...STATUS, ready: false };
      },
      status: async () => ({ ...STATUS, ready: ++asked > 2 }),
    });
    const { code, stdout } = await weft('enable', '--dns');
    expect(code).toBe(0);
    expect(seen).toEqual([true]);
    expect(asked).toBe(3);
    expect(stdout).toContain('docker run -d --name web --network weft nginx');
    expect(stdout).toContain('"dns-search": [\n    "weft.local"\n  ]');
  });

  test('enable tells what is wrong, and what it waits for', async () => {
    const answers = [
      { ...STATUS, ready: false, faults: ['Docker has a network "weft" of the driver bridge'] },
      { ...STATUS, ready: false, engine: { ...STATUS.engine, reachable: false } },
    ];
    await serve({ setEnabled: async () => STATUS, status: async () => answers.shift() ?? STATUS });
    expect((await weft('enable')).stdout).toBe('Docker has a network "weft" of the driver bridge\n');
    expect((await weft('enable')).stdout).toContain('does not answer at /var/run/docker.sock');
  });

  test('status shows the plugin and its networks', async () => {
    await serve({ status: async () => STATUS });
    const { stdout } = await weft('status');
    expect(stdout).toContain('listens at /run/docker/plugins/weft.sock');
    expect(stdout).toMatch(/^weft +default +10\.32\.0\.0\/12 +2$/m);
    expect(JSON.parse((await weft('status', '-o', 'json')).stdout)).toEqual(STATUS);
  });

  test('disable is refused in one line while containers are there', async () => {
    await serve({
      setEnabled: async () => {
        throw new WeftError('docker-used', 'web is on Docker networks of weft: stop it');
      },
    });
    expect(await weft('disable')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'weft: web is on Docker networks of weft: stop it\n',
    });
    expect(await weft('enable', '--write')).toMatchObject({ code: 2 });
  });
});
