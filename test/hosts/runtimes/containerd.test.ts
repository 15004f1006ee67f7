/** containerd, asked for pods as a kubelet asks it, with weft as its network plugin. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { Containerd, type Host, type Node, type Pod, until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { leftOn } from './left-on.js';

const isLong = process.env.WEFT_LONG === '1';
/** How often a pod is started in each of the two ways that are compared. */
const STARTS = 15;
/** What weft may add to the start of a pod, ms. */
const ADDED = 100;
const PORT = 7000;
const SERVICE = '10.96.0.10';
const BRIDGE_FILTER = 'net.bridge.bridge-nf-call-iptables';
/** Whom a pod behind a service sees, as bridged packets pass the packet filter or not. `weft expose` has the latter in normal runs. */
const SEEN: readonly (readonly [string, number])[] = [
  ['the pod that asks', 1],
  ...(isLong ? [['its host, where bridged packets do not pass the packet filter,', 0] as const] : []),
];
const hasBridgeFilter = existsSync(`/proc/sys/${BRIDGE_FILTER.replaceAll('.', '/')}`);

describe.skipIf(Containerd.reasonAgainst() !== undefined)('pods of containerd', () => {
  const world = onLab(async (lab) => {
    const [a, b] = await lab.hosts(2);
    const [onA, onB] = await Promise.all([Containerd.start(a), Containerd.start(b)]);
    await a.launch();
    await b.launch({ token: await a.token() });
    for (const runtime of [onA, onB]) await runtime.joins();
    await a.ip(`route add default via ${b.address}`); // a host that has no way out does not ask for services
    return { a, b, onA, onB };
  });

  afterEach(async () => {
    const { a, b, onA, onB } = world();
    for (const runtime of [onA, onB]) await runtime.clear();
    for (const host of [a, b]) expect(await leftOn(host)).toEqual([]);
  });

  test('reach each other on two hosts at the addresses that the runtime tells, and by name', async () => {
    const { a, b, onA, onB } = world();
    const [web, client] = [await onA.pod('web-0', { namespace: 'shop' }), await onB.pod('client')];
    const [attached] = (await a.report()).attachments;
    expect(web.addresses).toEqual(attached?.addresses.map((address) => address.split('/')[0]));
    for (const address of web.addresses) await client.reaches(address);
    await until('its name is known', async () =>
      (await b.weft('dns-lookup', 'web-0.shop')).includes(web.address),
    );
  });

  test('reach their host, are reached by it, and get out with its address', async () => {
    const { a, b, onB } = world();
    const pod = await onB.pod('inside');
    await pod.reaches(b.address);
    await b.reaches(pod.address);
    await serves(a);
    expect(await seenAt(pod, a.address)).toBe(b.address);
  });

  test('are reached at a port of their host, until they are stopped, which may be said twice', async () => {
    const { a, b, onA, onB } = world();
    const web = await onA.pod('web', { ports: [{ hostPort: 8080, containerPort: PORT }] });
    await serves(web);
    for (const asking of [b, await onB.pod('client'), web]) {
      expect(await seenAt(asking, a.address, 8080)).not.toBe('');
    }
    for (let i = 0; i < 2; i += 1) await onA.service.stopPodSandbox(web.id);
    expect(await seenAt(b, a.address, 8080)).toBe('');
  });

  test.skipIf(!hasBridgeFilter).each(SEEN)('behind a service see %s', async (_whom, setting) => {
    const { a, onA, onB } = world();
    const [client, neighbour, far] = [
      await onA.pod('client'),
      await onA.pod('neighbour'),
      await onB.pod('far'),
    ];
    const gateway = await gatewayOf(client);
    await a.sysctl({ [BRIDGE_FILTER]: setting });
    for (const server of [neighbour, far]) {
      await serves(server);
      await service(a, server);
      expect(await seenAt(client, SERVICE, 80)).toBe(setting === 1 ? client.address : gateway);
      expect(await seenAt(a, SERVICE, 80)).toBe(gateway);
    }
    await service(a, neighbour);
    expect(await seenAt(neighbour, SERVICE, 80)).toBe(gateway); // itself
  });

  test('have the bandwidth that their annotations say', async () => {
    const { a, onA } = world();
    const limits = { 'kubernetes.io/ingress-bandwidth': '8M', 'kubernetes.io/egress-bandwidth': '4M' };
    const pod = await onA.pod('slow', { annotations: limits });
    const rates = async () =>
      [...(await a.run(['tc', 'qdisc', 'show'])).matchAll(/tbf .* rate (\S+)/g)].map(([, rate]) => rate);
    expect((await rates()).sort()).toEqual(['4Mbit', '8Mbit']);
    await pod.reaches(a.address);
    await onA.end(pod);
    expect(await rates()).toEqual([]);
  });

  test('keep their network while the router is away, end without it, and start once it is back', async () => {
    const { a, onA, onB } = world();
    const [staying, leaving, client] = [
      await onA.pod('staying'),
      await onA.pod('leaving'),
      await onB.pod('client'),
    ];
    await client.reaches(staying.address);
    process.kill(a.daemon, 'SIGKILL');
    await onA.end(leaving);
    expect(await client.ping(staying.address)).toBe(true);
    const starting = onA.pod('starting');
    await a.launch();
    const started = await starting;
    for (const pod of [staying, started]) await client.reaches(pod.address);
    expect((await a.report()).attachments).toHaveLength(2);
  });

  test.runIf(isLong)(`start within ${ADDED} ms more than on a bridge of their host`, async () => {
    const { a, onA } = world();
    const plain = await Containerd.start(a, 'plain');
    writeFileSync(join(plain.configurations, '10-plain.conflist'), JSON.stringify(PLAIN));
    await plain.hasNetwork();
    const took = { weft: [] as number[], plain: [] as number[] };
    for (let i = 0; i < STARTS; i += 1) {
      took.weft.push(await secondsFor(onA, `weft-${i}`));
      took.plain.push(await secondsFor(plain, `plain-${i}`));
    }
    await plain.clear();
    const medians = { weft: median(took.weft), plain: median(took.plain) };
    console.log(`ms from the request to the pod, median of ${STARTS}: ${JSON.stringify(medians)}`);
    expect(medians.weft - medians.plain).toBeLessThan(ADDED);
  });
});

/** The simplest network that a pod can have. */
const PLAIN = {
  cniVersion: '1.0.0',
  name: 'plain',
  plugins: [
    {
      type: 'bridge',
      bridge: 'plain0',
      isGateway: true,
      ipam: { type: 'host-local', ranges: [[{ subnet: '10.99.0.0/24' }]], routes: [{ dst: '0.0.0.0/0' }] },
    },
    { type: 'portmap', snat: true, capabilities: { portMappings: true } },
    { type: 'bandwidth', capabilities: { bandwidth: true } },
  ],
};

async function secondsFor(runtime: Containerd, name: string): Promise<number> {
  const started = performance.now();
  await runtime.pod(name);
  return performance.now() - started;
}

function median(values: readonly number[]): number {
  return Math.round([...values].sort((x, y) => x - y)[Math.floor(values.length / 2)] ?? 0);
}

/** Has a node tell whoever connects who that is. */
async function serves(node: Node): Promise<void> {
  node.start(['socat', `TCP-LISTEN:${PORT},fork,reuseaddr`, 'SYSTEM:echo $SOCAT_PEERADDR']);
  await until(`${node.name} serves`, async () => (await seenAt(node, '127.0.0.1')) === '127.0.0.1');
}

/** Whom a server sees when `asking` connects there; nobody when it does not answer. */
async function seenAt(asking: Node, address: string, port = PORT): Promise<string> {
  return (
    await asking.attempt(['socat', '-T', '5', '-', `TCP:${address}:${port},connect-timeout=5`])
  ).stdout.trim();
}

async function gatewayOf(pod: Pod): Promise<string> {
  const [route] = await pod.ipJson<{ gateway: string }[]>('route', 'show', 'default');
  return route?.gateway ?? '';
}

/** The rules of kube-proxy for a service that one pod is behind. */
async function service(host: Host, { address }: Pod): Promise<void> {
  const rules = `*nat
:KUBE-SERVICES - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-SEP - [0:0]
-A PREROUTING -j KUBE-SERVICES
-A OUTPUT -j KUBE-SERVICES
-A POSTROUTING -j KUBE-POSTROUTING
-A KUBE-SERVICES -d ${SERVICE}/32 -p tcp --dport 80 -j KUBE-SEP
-A KUBE-SEP -s ${address}/32 -j KUBE-MARK-MASQ
-A KUBE-SEP -p tcp -j DNAT --to-destination ${address}:${PORT}
-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -j MARK --xor-mark 0x4000
-A KUBE-POSTROUTING -j MASQUERADE --random-fully
COMMIT
`;
  await host.run(['iptables-restore'], { input: rules });
}
