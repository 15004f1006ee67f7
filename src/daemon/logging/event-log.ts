/** What the daemon's log tells of the events of its rooms. */
import type { Forwarder } from '../../forwarder/index.js';
import type { Mesh } from '../../mesh/index.js';
import type { Overlay } from '../../overlay/index.js';
import type { Log } from './log.js';

export function logMesh(mesh: Mesh, log: Log): void {
  mesh.on('link-up', ({ peer, nickname, remoteAddress, direction }) =>
    log.info('linked', { peer, nickname, address: remoteAddress, direction }),
  );
  mesh.on('link-down', (peer, reason) =>
    log.info(`link lost: ${reason.message}`, { peer, code: reason.code }),
  );
  mesh.on('warning', (error, origin) => log.warn(error.message, { code: error.code, ...origin }));
}

export function logOverlay(overlay: Overlay, log: Log): void {
  overlay.on('peer-up', (peer) => log.info('traffic flows', { peer }));
  overlay.on('peer-down', (peer) => log.warn('traffic is interrupted', { peer }));
  overlay.on('session', (peer, { cipher, role }) => log.debug('new key', { peer, cipher, role }));
  overlay.on('warning', (error, origin) => log.warn(error.message, { code: error.code, ...origin }));
}

export function logForwarder(forwarder: Forwarder, log: Log): void {
  forwarder.on('ready', ({ pid, adopted }) =>
    log.info(adopted ? 'adopted the running forwarder' : 'started the forwarder', { pid }),
  );
  forwarder.on('warning', (error) => log.warn(error.message, { code: error.code }));
  forwarder.on('event', ({ name, fields }) => {
    log.debug(`forwarder: ${name}`, fields);
    if (name === 'loop') log.warn(loopMessage(fields), fields);
    if (name === 'storm') log.warn(stormMessage(fields), fields);
    if (name === 'loop-over') log.info(`the loop in network ${fields.network} is gone`, fields);
  });
}

function stormMessage({ network, limit }: { network: number; limit: number }): string {
  return `network ${network} has a storm: more than ${limit} broadcasts a second, those beyond are dropped (\`weft launch --storm-limit\` sets how many may pass)`;
}

function loopMessage({
  network,
  peer,
  muted,
}: {
  network: number;
  peer: string | null;
  muted: boolean;
}): string {
  const where = peer === null ? 'in the bridges of this host' : `with the router ${peer}, beside the tunnel`;
  const done = muted
    ? 'this host stops carrying what goes to everybody, until it is gone'
    : 'that router deals with it';
  return `network ${network} has a loop ${where}: ${done}`;
}
