import * as hostnet from '../../hostnet/index.js';
import { forwardingPorts } from '../../hostnet/index.js';
import { allEnded } from '../../order.js';
import { Attachments } from '../attachments/index.js';
import { MacWatch, reservedHolder } from '../mac-routes/index.js';
import type { Addressing } from './addresses.js';
import type { DataPlane } from './data-plane.js';
import type { Enforcing } from './enforcement.js';
import { failure, type Materials } from './materials.js';

export type Attaching = ReturnType<typeof composeAttachments>;

/** The interfaces of containers. */
export function composeAttachments(
  { plan, mtu, log }: Materials,
  { networks }: DataPlane,
  { containers, addressSource, custody, endpoints }: Addressing,
  { pods, enforcement }: Enforcing,
) {
  const { identity, files } = plan;
  const self = identity.peer;
  const attachments = new Attachments({
    owner: identity.peer,
    mtu,
    file: files.attachments,
    networks,
    containers,
    addresses: addressSource,
    macHolder: (network, mac, entry) => reservedHolder(self, mac) ?? endpoints.macHolder(network, mac, entry),
    addressHolder: (network, address) =>
      reservedHolder(self, address) ?? endpoints.addressHolder(network, address),
    told: () => allEnded([endpoints.told(), enforcement.settled()]).then(() => {}),
    custody,
    host: hostnet,
    onFailure: (what, error) => failure(log, what)(error),
  });
  endpoints.follow(attachments);
  pods.follow(attachments);
  networks.addUser(attachments);
  const macWatch = new MacWatch({
    now: () => performance.now(),
    ports: async (network, macs) => {
      const { bridge = null } = networks.list().find(({ number }) => number === network) ?? {};
      return bridge === null ? new Map() : await forwardingPorts(bridge, macs);
    },
    atPort: (port) => attachments.atPort(port),
    isGiven: (network, mac) => reservedHolder(self, mac) !== undefined || endpoints.isGiven(network, mac),
    present: () => attachments.present(),
    follow: (entry) => attachments.followMac(entry),
    onFailure: failure(log, 'a container whose MAC changed is not followed'),
  });
  return { attachments, macWatch };
}
