/** The image of weft, run by Docker and by Podman with the lines of docs/install.md. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { weftVersion } from '../../../src/version.js';
import { attempt, DockerEngine, type Finished, type Host, Podman, run } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const LONG = process.env.WEFT_LONG === '1';
const MAKING = 120_000;
/** Of the archive, and of the files in it, bytes. */
const MOST = 120 * 1024 * 1024;

const isPossible =
  LONG && Podman.reasonAgainst() === undefined && (await DockerEngine.reasonAgainst()) === undefined;

describe.skipIf(!isPossible)('the image', { timeout: 3 * MAKING }, () => {
  const world = onLab(async (lab) => {
    const [a, b] = (await lab.hosts(2)) as [Host, Host];
    const archive = join(lab.directory, 'weft.tar');
    const made = await run([join(ROOT, 'scripts/image'), archive], { within: MAKING });
    return { a, b, archive, made, docker: await DockerEngine.start(a), podman: new PodmanAlone(b) };
  });

  test('is the same bytes from the same tree, and small', async () => {
    const { archive, lab } = world();
    const again = join(lab.directory, 'again.tar');
    await run([join(ROOT, 'scripts/image'), again], { within: MAKING });
    expect(hashOf(again)).toBe(hashOf(archive));
    const root = join(lab.directory, 'root');
    await run([join(ROOT, 'scripts/rootfs'), root], { within: MAKING });
    const unpacked = Number.parseInt(await run(['du', '--summarize', '--bytes', root]), 10);
    console.log(`bytes of the archive: ${statSync(archive).size}, unpacked: ${unpacked}`);
    expect(Math.max(unpacked, statSync(archive).size)).toBeLessThan(MOST);
  });

  test('makes a router of its host by the line for Docker, which leaves without a trace', async () => {
    const { a, b, docker, podman, archive } = world();
    await docker.docker('load', '--input', archive);
    const inspected = JSON.parse(await docker.docker('image', 'inspect', `weft:${weftVersion()}`));
    expect(inspected[0].Config.Labels['org.opencontainers.image.version']).toBe(weftVersion());
    await docker.docker(...lineFor('docker', a));
    const weft = async (...args: string[]) => await docker.exec('weft', 'weft', ...args);
    await weft('wait', '--ready', '--timeout', '60');
    expect(await weft('doctor')).not.toMatch(/^fail/m);
    const { token } = JSON.parse(await weft('token', '--output', 'json'));

    await podman.run('load', '--input', archive);
    await podman.run(...lineFor('podman', b), '--token', token);
    await podman.run('exec', 'weft', 'weft', 'wait', '--ready', '--timeout', '60');

    await docker.runOn('weft', 'web', '--user', '1000');
    const address = (await docker.inspect('web')).NetworkSettings.Networks.weft?.IPAddress ?? '';
    const client = await b.container('client');
    const process = client.start(['sh', '-c', 'echo runs && exec sleep infinity']);
    await process.says(/runs/);
    await podman.run('exec', 'weft', 'weft', 'attach', `${process.pid}`, '10.47.0.1/12');
    await client.reaches(address);

    await docker.docker('rm', '--force', 'web');
    await docker.docker('update', '--restart', 'no', 'weft');
    await docker.docker('exec', '--detach', 'weft', 'weft', 'reset', '--force');
    await docker.docker('wait', 'weft');
    await docker.docker('rm', 'weft');
    await podman.run('exec', '--detach', 'weft', 'weft', 'reset', '--force');
    await podman.run('wait', 'weft');
    for (const host of [a, b]) {
      expect(await host.run(['ip', '-brief', 'link'])).not.toMatch(/weft/);
      expect(host.files()).toEqual([host.runDirectory, host.stateDirectory]);
    }
  });

  test('says which option is missing where it may not set what it must', async () => {
    const { a, docker } = world();
    const line = lineFor('docker', a).join(' ').replace('--security-opt systempaths=unconfined', '');
    await docker.docker(...line.replace('--restart unless-stopped', '').split(/ +/));
    await docker.docker('wait', 'weft');
    expect((await docker.try('logs', 'weft')).stderr).toMatch(
      /^weft: \/proc\/sys\/\S+ cannot be set .* systempaths=unconfined.*$/m,
    );
    await docker.docker('rm', 'weft');
  });
});

function hashOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/** The words of docs/install.md that run the image, with the directories of that host. */
function lineFor(engine: 'docker' | 'podman', host: Host): string[] {
  const text = readFileSync(join(ROOT, 'docs/install.md'), 'utf8').replaceAll(/\\\n/g, ' ');
  const line = new RegExp(`^ {4}${engine} (run .* weft:\\S+ launch .*)$`, 'm').exec(text)?.[1] ?? '';
  for (const directory of [host.stateDirectory, host.runDirectory]) mkdirSync(directory, { recursive: true });
  return line
    .replace('/var/lib/weft:', `${host.stateDirectory}:`)
    .replace('/run/weft:', `${host.runDirectory}:`)
    .replace('/run/docker/plugins:', `${host.runDocker}/plugins:`)
    .replace('/var/run/docker.sock:', `${host.engineSocket}:`)
    .replace(':rslave', '') // nothing is mounted in shared trees here
    .split(/ +/);
}

/** A machine of the lab may not raise limits. */
const SETTINGS = `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
`;

/** Podman on a host, without a network of weft's. */
class PodmanAlone {
  readonly #directory: string;

  constructor(readonly host: Host) {
    this.#directory = join(host.directory, 'podman-alone');
  }

  async run(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.#attempt(args);
    if (code !== 0) throw new Error(`podman ${args.join(' ')}: ${stderr}`);
    return stdout;
  }

  async #attempt(args: readonly string[]): Promise<Finished> {
    mkdirSync(this.#directory, { recursive: true });
    const settings = join(this.#directory, 'containers.conf');
    if (!existsSync(settings)) writeFileSync(settings, SETTINGS);
    const store = ['--root', join(this.#directory, 'store'), '--runroot', join(this.#directory, 'run')];
    const podman = ['podman', ...store, '--storage-driver', 'vfs', ...args];
    return await attempt(['nsenter', `--net=/run/netns/${this.host.namespace}`, ...podman], {
      env: { CONTAINERS_CONF: settings },
      within: MAKING,
    });
  }
}
