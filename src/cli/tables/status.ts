/** The router's answers as text. */
import type { Connection, Datapath, Peer, Source, Status, Target } from '../../api/index.js';
import { bytes, duration, latency, orDash, pairs, peerName, share, table } from '../terminal/index.js';
import { waitingText } from './dns.js';
import { exposuresText } from './exposures.js';

export function overview(status: Status): string {
  const { peer, nickname, version, uptime, network, port, bridge, mtu, cipher, peers, connections, targets } =
    status;
  return pairs([
    ['router', `${peer} (${nickname}), weft ${version}, up ${duration(uptime)}`],
    [
      'network',
      `${network.id} (${network.mode}${network.admin ? ', with an administrator' : ''})${rotationText(network.rotation)}`,
    ],
    ['listening', `TCP and UDP ${port}`],
    ['bridge', `${bridge}, MTU ${mtu}`],
    ['cipher', cipher],
    ...trustedRow(status.trustedSubnets),
    ['forwarder', forwarderText(status)],
    ['peers', `${peers.known} known, ${peers.linked} linked`],
    ['connections', `${connections.up} of ${connections.total} up`],
    ['targets', `${targets.connected} of ${targets.total} connected`],
    ['attachments', String(status.attachments)],
    ['names', orDash(status.dns, (domain) => `below ${domain}${namesWaiting(status.dnsWaiting)}`)],
    ['networks', status.networks === 0 ? 'the default one' : `the default one and ${status.networks} more`],
    ['metrics', orDash(status.statusAddress, (address) => `http://${address}/metrics`)],
    ['exposed', exposuresText(status.exposed).replaceAll('\n', ', ')],
    ...status.faults.map((fault): [string, string] => ['fault', fault]),
  ]);
}

function namesWaiting(places: Status['dnsWaiting']): string {
  return places.map((place) => `, waiting ${waitingText(place)}`).join('');
}

/** Only where somebody asked for it: what is not encrypted is to be noticed. */
function trustedRow(subnets: readonly string[]): [string, string][] {
  if (subnets.length === 0) return [];
  return [['trusted', `${subnets.join(', ')}: no encryption with routers there that trust us, too`]];
}

function forwarderText({ forwarder, version }: Status): string {
  const { connected, pid, workers, udpPorts, sandboxed, adopted, restarts } = forwarder;
  if (!connected) return 'not running, being started again';
  const facts = [`pid ${orDash(pid)}`, `${orDash(workers)} workers`];
  if (forwarder.version !== version)
    facts.unshift(`of version ${orDash(forwarder.version)} (\`weft restart-forwarder\` exchanges it)`);
  if (udpPorts !== null && udpPorts > 1) facts.push(`${udpPorts} UDP ports`);
  if (sandboxed) facts.push('sandboxed');
  if (adopted) facts.push('adopted');
  if (restarts > 0) facts.push(restarts === 1 ? '1 restart' : `${restarts} restarts`);
  return facts.join(', ');
}

function rotationText(rotation: Status['network']['rotation']): string {
  if (rotation === null) return '';
  const names = rotation.waiting.map(peerName);
  return `, new secret, waiting for ${names.join(', ') || 'nobody'}`;
}

export function peersTable(peers: readonly Peer[]): Promise<string> {
  const rows = peers.map(({ peer, nickname, state, version, endpoints, ciphers }) => [
    peer,
    nickname,
    state,
    version || '-',
    endpoints.join(' ') || '-',
    ciphers.join(' ') || '-',
  ]);
  return table(['peer', 'nickname', 'state', 'version', 'endpoints', 'ciphers'], rows, 'no peers');
}

export function connectionsTable(connections: readonly Connection[]): Promise<string> {
  const rows = connections.map((connection) => [
    connection.peer,
    connection.nickname,
    connection.link,
    connection.udp,
    pathText(connection),
    orDash(connection.rtt, latency),
    orDash(connection.loss, share),
    orDash(connection.pathMtu),
    orDash(connection.cipher),
    bytes(connection.sentBytes),
    bytes(connection.receivedBytes),
    connection.reason ?? '',
  ]);
  const headings = 'peer nickname link udp path rtt loss mtu cipher sent received'.split(' ');
  return table([...headings, ''], rows, 'no connections: `weft connect` or the join line make them');
}

function pathText({ path, viaNickname, endpoint, kernel }: Connection): string {
  if (kernel?.used) return `${endpoint ?? ''} kernel`;
  if (path === 'relay') return `via ${viaNickname ?? 'another router'}`;
  return path === 'tcp' ? 'tcp' : orDash(endpoint);
}

export function targetsTable(targets: readonly Target[]): Promise<string> {
  const rows = targets.map(({ target, from, state, peer, retryAt, lastError }) => [
    target,
    from.join(' '),
    state,
    orDash(peer),
    state !== 'connected' && retryAt !== undefined
      ? `in ${duration(Math.max(0, (retryAt - Date.now()) / 1000))}`
      : '-',
    state === 'connected' ? '' : (lastError?.message ?? ''),
  ]);
  return table(['target', 'from', 'state', 'peer', 'retry', ''], rows, 'no targets');
}

export function sourcesTable(sources: readonly Source[]): Promise<string> {
  const rows = sources.map(({ source, state, targets, found, answeredAt, lastError }) => [
    source,
    state,
    answeredAt === undefined ? 'never' : `${duration(Math.max(0, (Date.now() - answeredAt) / 1000))} ago`,
    String(found),
    String(targets),
    lastError?.message ?? '',
  ]);
  return table(['source', 'state', 'answered', 'found', 'kept', ''], rows, 'no sources of targets');
}

export async function datapathText(datapath: Datapath): Promise<string> {
  const { forwarder, ciphers, offloads, networks, macs, counters } = datapath;
  const { version, pid, sourcePorts, workers, sandboxed, stormLimit } = forwarder;
  const moving = Object.entries(counters).filter(([, value]) => value !== 0);
  const parts = [
    `forwarder ${version}, pid ${pid}, ${workers} workers${sandboxed ? ', sandboxed' : ''}, ${stormLimit === 0 ? 'no storm limit' : `storm limit ${stormLimit}/s`}`,
    ...(sourcePorts.length === 0 ? [] : [`sends from UDP ${sourcePorts.join(', ')}, too`]),
    await table(
      ['cipher', 'implementation', 'hardware', '1400 bytes'],
      ciphers.map((cipher) => [
        cipher.name,
        cipher.implementation,
        cipher.hardware ? 'yes' : 'no',
        `${Math.round(cipher.nanosecondsPer1400)} ns`,
      ]),
      'no ciphers',
    ),
    await table(
      ['offload', 'state', ''],
      offloads.map(({ name, available, enabled, reason }) => [
        name,
        offloadState(available, enabled),
        reason ?? '',
      ]),
      'no offloads',
    ),
    await table(
      ['network', 'tap', 'mtu', 'queues', 'loop'],
      networks.map(({ network, name, mtu, queues, loop }) => [
        String(network),
        orDash(name),
        orDash(mtu),
        String(queues),
        loop === null ? '-' : `with ${loop.with}${loop.muted ? ', muted' : ''}`,
      ]),
      'no networks',
    ),
    await table(
      ['network', 'mac', 'at', 'age'],
      macs.map(({ network, mac, peer, age }) => [String(network), mac, peer ?? 'here', duration(age)]),
      'no MACs learned',
    ),
    moving.length === 0 ? 'all counters are 0' : pairs(moving.map(([name, value]) => [name, String(value)])),
  ];
  return parts.join('\n\n');
}

function offloadState(available: boolean, enabled: boolean): string {
  if (!available) return 'unavailable';
  return enabled ? 'on' : 'off';
}
