/** The image of weft, run by containerd as in a DaemonSet: the router of its host, which updates do not take away from pods. */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import {
  type ContainerConfig,
  Containerd,
  type Host,
  type Pod,
  type PodSandboxConfig,
  run,
  until,
} from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { leftOn } from './left-on.js';

const MAKE_IMAGE = fileURLToPath(new URL('../../../scripts/image', import.meta.url));
const isLong = process.env.WEFT_LONG === '1';

describe.runIf(isLong && Containerd.reasonAgainst() === undefined)('the image', () => {
  const world = onLab(async (lab) => {
    const archive = join(lab.directory, 'weft.tar');
    const [a, b] = await lab.hosts(2);
    const [said, onA, onB] = await Promise.all([
      run([MAKE_IMAGE, archive], { within: 120_000 }),
      Containerd.start(a),
      Containerd.start(b),
    ]);
    const name = / of (\S+)/.exec(said)?.[1] ?? '';
    for (const runtime of [onA, onB]) await runtime.import(archive);
    const [routerA, routerB] = [new ImageRouter(a, onA, name), new ImageRouter(b, onB, name)];
    await routerA.launch(a, b);
    await routerB.launch(a, b);
    for (const [router, runtime] of [
      [routerA, onA],
      [routerB, onB],
    ] as const) {
      await router.weft('cni', 'install', '--bin-dir', runtime.plugins, '--conf-dir', runtime.configurations);
      await runtime.hasNetwork();
    }
    return { a, b, onA, onB, routerA };
  });

  test('connects pods of two hosts, and its update leaves them their network', async () => {
    const { a, b, onA, onB, routerA } = world();
    const [web, neighbour, client] = [
      await onA.pod('web'),
      await onA.pod('neighbour'),
      await onB.pod('client'),
    ];
    for (const address of web.addresses) await client.reaches(address);
    const before = await linksOf(web);
    await routerA.stop();
    expect(await neighbour.ping(web.address)).toBe(true);
    expect(await linksOf(web)).toEqual(before);
    await onA.end(neighbour); // its removal is noted
    rmSync(join(onA.plugins, 'weft-cni'));
    const stopped = performance.now();
    await routerA.launch(a, b);
    await client.reaches(web.address);
    console.log(
      `ms from the start of the new container to the first packet: ${Math.round(performance.now() - stopped)}`,
    );
    expect(await linksOf(web)).toEqual(before);
    expect(existsSync(join(onA.plugins, 'weft-cni'))).toBe(true);
    expect(existsSync(join(a.stateDirectory, 'cni.json'))).toBe(true); // by which the manifest knows
    const another = await onA.pod('another');
    await another.reaches(client.address);
    await another.reaches(b.address);
    for (const runtime of [onA, onB]) await runtime.clear();
    for (const host of [a, b]) expect(await leftOn(host)).toEqual([]);
  });

  test('leaves for good without a trace', async () => {
    const { a, onA, routerA } = world();
    await routerA.weft('reset', '--force');
    await until('nothing is left', async () => (await linksOn(a)).every((name) => !name.includes('weft')));
    expect(existsSync(join(onA.plugins, 'weft-cni'))).toBe(false);
  });
});

/** What it needs of all that `privileged` allows, besides /dev/net/tun and /proc/sys as the host has it. */
const CAPABILITIES = [
  'NET_ADMIN',
  'NET_RAW',
  'SYS_ADMIN',
  'SYS_PTRACE',
  'SETUID',
  'SETGID',
  'SETPCAP',
  'IPC_LOCK',
];

/** Those of the host. */
const NAMESPACES = { network: 'NODE', pid: 'NODE' } as const;

/** The router of a host in a container, with the host's network, process ids and directories. */
class ImageRouter {
  #container = '';
  #attempts = 0;
  readonly #sandbox: PodSandboxConfig;

  constructor(
    readonly host: Host,
    readonly runtime: Containerd,
    readonly image: string,
  ) {
    this.#sandbox = {
      metadata: { name: 'weft', uid: host.namespace, namespace: 'kube-system' },
      hostname: '',
      portMappings: [],
      annotations: {},
      linux: { cgroupParent: `/${host.namespace}`, securityContext: { namespaceOptions: NAMESPACES } },
    };
  }

  /** In the network of these hosts, which the first one begins. */
  async launch(...all: Host[]): Promise<void> {
    const { service } = this.runtime;
    this.#attempts += 1;
    const pod = await service.runPodSandbox({
      ...this.#sandbox,
      metadata: { ...this.#sandbox.metadata, uid: `${this.#attempts}` },
    });
    this.#container = await service.runContainer(pod, this.#config(all), this.#sandbox);
    await this.weft('wait', '--ready', '--timeout', '60');
  }

  async weft(...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.runtime.service.execute(this.#container, [
      'weft',
      ...args,
    ]);
    if (exitCode !== 0) throw new Error(`weft ${args.join(' ')}: ${stderr.toString()}`);
    return stdout.toString();
  }

  /** As the kubelet does: with the signal that the image names. */
  async stop(): Promise<void> {
    await this.runtime.service.endContainer(this.#container);
  }

  #config(all: readonly Host[]): ContainerConfig {
    const { runDirectory, stateDirectory, name } = this.host;
    for (const directory of [runDirectory, stateDirectory]) mkdirSync(directory, { recursive: true });
    const own = [runDirectory, stateDirectory, this.runtime.plugins, this.runtime.configurations];
    const launch = [
      'launch',
      '--foreground',
      '--nickname',
      name,
      '--no-dns',
      '--ipalloc-init',
      `seed=${all[0]?.name}`,
    ];
    return {
      metadata: { name: 'weft', attempt: 0 },
      image: { image: this.image },
      command: ['weft', ...launch, ...all.map(({ address }) => address)],
      envs: [
        { key: 'WEFT_PASSWORD', value: 'as in the Secret' },
        { key: 'WEFT_RUN_DIR', value: runDirectory },
        { key: 'WEFT_STATE_DIR', value: stateDirectory },
      ],
      mounts: [
        ...own.map((place) => ({ containerPath: place, hostPath: place })),
        { containerPath: '/run/netns', hostPath: '/run/netns', propagation: 'PROPAGATION_HOST_TO_CONTAINER' },
      ],
      devices: [{ containerPath: '/dev/net/tun', hostPath: '/dev/net/tun', permissions: 'rwm' }],
      linux: {
        securityContext: { capabilities: { addCapabilities: CAPABILITIES }, namespaceOptions: NAMESPACES },
      },
    };
  }
}

async function linksOn(host: Host): Promise<string[]> {
  return (await host.ipJson<{ ifname: string }[]>('link')).map(({ ifname }) => ifname);
}

async function linksOf(pod: Pod): Promise<unknown> {
  return await pod.ipJson<{ ifindex: number; address: string }[]>('address', 'show', 'dev', 'eth0');
}
