import { describe, expect, test } from 'vitest';
import type { PolicyDenials } from '../../../src/api/index.js';
import { type Container, type Host, type Lab, until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { Agent } from '../../policies/agents.js';
import { enforce, PATIENCE, policyOf } from './world.js';

const WEB = ['10.32.0.11', 'fd32::11'] as const;
const EXPOSED = '10.32.0.1';
/** Nobody has it: packets to it are led to `web`, as kube-proxy does. */
const SERVICE = '10.96.0.10';

/** Two containers on a host that is exposed, and beside it a machine that knows nothing of the overlay. */
async function build(lab: Lab) {
  const [a, outside] = await lab.hosts(2);
  await a.launch();
  await a.weft('expose', `${EXPOSED}/24`, 'fd32::1/64');
  const [web, plain] = [await a.container('web'), await a.container('plain')];
  await web.attach('--name', 'web', '--label', 'app=web', `${WEB[0]}/24`, `${WEB[1]}/64`);
  await plain.attach('--name', 'plain', '10.32.0.13/24', 'fd32::13/64');
  const [onHost, onOutside, onWeb, onPlain] = await Promise.all([a, outside, web, plain].map(Agent.start));
  return { a, outside, web, plain, agents: { onHost, onOutside, onWeb, onPlain } as Agents };
}

type Agents = Record<'onHost' | 'onOutside' | 'onWeb' | 'onPlain', Agent>;

const denials = async (host: Host) => (await host.weftJson<PolicyDenials>('policy', 'denied')).denials;

/** Only addresses of these blocks reach `web`. */
const blocks = (...cidrs: string[]) =>
  policyOf('blocks', {
    podSelector: { matchLabels: { app: 'web' } },
    ingress: [{ from: cidrs.map((cidr) => ({ ipBlock: { cidr } })) }],
  });

/** Sends datagrams from an address, which stays on a container or not, and tells whether any came. */
async function comesFrom(source: string, from: Container, { onPlain, onWeb }: Agents): Promise<boolean> {
  const { ifname } = await from.device();
  await from.ip(`address add ${source}/32 dev lo`, `route add ${WEB[0]}/32 dev ${ifname} src ${source}`);
  const before = (await onWeb.received(5353))[`::ffff:${source}`] ?? 0;
  await onPlain.flood(WEB[0], 5353, PATIENCE.silence);
  await from.ip(`route del ${WEB[0]}/32 dev ${ifname}`, `address del ${source}/32 dev lo`);
  return ((await onWeb.received(5353))[`::ffff:${source}`] ?? 0) > before;
}

describe('policies take for', () => {
  const world = onLab(build);

  test('the host what its processes send, and not what it forwards with its address', async () => {
    const { a, outside, agents } = world();
    const { onHost, onOutside, onPlain } = agents;
    await a.nft(`table ip ports {
      chain prerouting {
        type nat hook prerouting priority dstnat;
        ip saddr ${outside.address} tcp dport 5555 dnat to ${WEB[0]}:80
      }
    }`);
    const fromOutside = (within: number) => onOutside.probe(a.address, 'TCP', 5555, within);
    const deny = { podSelector: {}, policyTypes: ['Ingress', 'Egress'] };
    expect(await fromOutside(PATIENCE.answer)).toBe(true);
    await enforce({ a, b: a }, [policyOf('deny', deny)]);
    for (const address of WEB) {
      expect(await onHost.probe(address, 'TCP', 80, PATIENCE.answer)).toBe(true);
      expect(await onHost.probe(address, 'UDP', 53, PATIENCE.answer)).toBe(true);
    }
    expect(await onPlain.probe(EXPOSED, 'TCP', 80, PATIENCE.answer)).toBe(true);
    expect(await onPlain.probe(EXPOSED, 'UDP', 53, PATIENCE.answer)).toBe(true);
    expect(await fromOutside(PATIENCE.silence)).toBe(false);
    expect(await denials(a)).toContainEqual(
      expect.objectContaining({ reason: 'ingress', source: EXPOSED, port: 80, policies: ['default/deny'] }),
    );
    await enforce({ a, b: a }, [policyOf('open', { podSelector: {}, ingress: [{}] })]);
    expect(await fromOutside(PATIENCE.answer)).toBe(true);
    await a.nft('delete table ip ports');
  });

  test.each([
    ['the container behind it where bridged frames are handed to the packet filter', 1],
    ['what it is where they are not', 0],
  ])('the address of a service %s', async (_what, isFiltering) => {
    const { a, plain, agents } = world();
    await a.sysctl({ 'net.bridge.bridge-nf-call-iptables': isFiltering });
    await plain.ip(`route replace ${SERVICE}/32 via ${EXPOSED}`);
    await a.nft(`table ip services {
      chain prerouting {
        type nat hook prerouting priority dstnat;
        ip daddr ${SERVICE} tcp dport 80 dnat to ${WEB[0]}:80
      }
    }`);
    const allowing = async (to: object) => {
      const egress = [{ to: [to] }];
      await enforce({ a, b: a }, [policyOf('egress', { podSelector: {}, policyTypes: ['Egress'], egress })]);
      const within = 'podSelector' in to === (isFiltering === 1) ? PATIENCE.answer : PATIENCE.silence;
      return await agents.onPlain.probe(SERVICE, 'TCP', 80, within);
    };
    expect(await allowing({ podSelector: { matchLabels: { app: 'web' } } })).toBe(isFiltering === 1);
    expect(await allowing({ ipBlock: { cidr: `${SERVICE}/32` } })).toBe(isFiltering === 0);
    await a.nft('delete table ip services');
  });

  test('genuine what comes from an address that the container was given, and nothing else', async () => {
    const { a, plain, agents } = world();
    await enforce({ a, b: a }, [blocks('10.32.0.0/24')]);
    expect(await agents.onPlain.probe(WEB[0], 'TCP', 80, PATIENCE.answer)).toBe(true);
    expect(await comesFrom('10.32.0.99', plain, agents)).toBe(false);
    expect(await comesFrom(EXPOSED, plain, agents)).toBe(false);
    expect(await denials(a)).toContainEqual(
      expect.objectContaining({ reason: 'source', source: '10.32.0.99', protocol: 'UDP', port: 5353 }),
    );
    expect(await a.weft('policy', 'denied')).toContain('default/plain.weft.local was not given this address');
    await plain.attach('10.32.0.99/24');
    await plain.attach('--floating', '10.32.0.100/24');
    expect(await comesFrom('10.32.0.99', plain, agents)).toBe(true);
    expect(await comesFrom('10.32.0.100', plain, agents)).toBe(true);
  });

  test('another one who has the same address on another network, and let him speak there', async () => {
    const { a, web } = world();
    await a.weft('network', 'create', 'blue', '--subnet', '10.99.0.0/24');
    const [one, two] = [await a.container('one'), await a.container('two')];
    await one.attach('--network', 'blue', '10.99.0.1/24');
    await two.attach('--network', 'blue', '10.99.0.2/24');
    await web.attach('10.99.0.1/24');
    await enforce({ a, b: a }, [policyOf('shut', { podSelector: { matchLabels: { app: 'web' } } })]);
    expect(await one.ping('10.99.0.2')).toBe(true);
    await enforce({ a, b: a }, []);
    await until('nothing is left of the rules', async () => {
      const { stdout } = await a.attempt(['nft', 'list', 'tables', 'bridge']);
      return !stdout.includes('policy');
    });
  });
});
