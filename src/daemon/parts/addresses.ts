import { macOf } from '../../hostnet/index.js';
import { Addresses, AddressSource } from '../addresses/index.js';
import { Containers } from '../attachments/index.js';
import { Custody, Endpoints, Refusals, reservedBy, reservedHolder } from '../mac-routes/index.js';
import type { ControlPlane } from './control-plane.js';
import type { DataPlane } from './data-plane.js';
import { failure, type Materials } from './materials.js';

export type Addressing = ReturnType<typeof composeAddresses>;

/** What containers are given, what others hear of it, and how it is kept theirs. */
export function composeAddresses(
  { plan, log }: Materials,
  { mesh }: ControlPlane,
  { forwarder, networks }: DataPlane,
) {
  const { identity, settings, files } = plan;
  const containers = new Containers();
  const addresses = new Addresses({
    identity,
    mesh,
    plan: plan.addresses,
    ring: plan.ring,
    targets: plan.targets,
    file: files.vote,
    log,
  });
  const addressSource = new AddressSource({
    networks,
    allocator: addresses,
    onRefused: (what, error) => failure(log, what)(error),
  });
  const self = identity.peer;
  const custody = new Custody({ bridge: settings.bridge, reserved: reservedBy(self), log });
  const endpoints = new Endpoints({ identity, mesh, forwarder, custody, bridgeMac: macOf });
  const refusals = new Refusals({
    holder: (claimed) => reservedHolder(self, claimed) ?? endpoints.holder(claimed),
    log,
  });
  return { containers, addresses, addressSource, custody, endpoints, refusals };
}
