import * as hostnet from '../../hostnet/index.js';
import { Firewall, type LinkStates, linkLocalOf, linkStates, macOf } from '../../hostnet/index.js';
import { Exposures, Hairpins, type InsideSubnets } from '../exposures/index.js';
import type { DataPlane } from './data-plane.js';
import type { Host } from './host.js';
import { failure, type Materials } from './materials.js';

export type Outside = ReturnType<typeof composeExposures>;

/** The host itself on the networks, and the ways in and out of them. */
export function composeExposures(
  { plan, log }: Materials,
  { networks }: DataPlane,
  { attachments, addressSource, endpoints, names, enforcement }: Host,
  inside: InsideSubnets,
) {
  const { identity, settings, files } = plan;
  const firewall = new Firewall(settings.bridge);
  const links = (): Promise<LinkStates> => linkStates(settings.bridge, identity.peer);
  const exposures = new Exposures({
    firewall,
    host: hostnet,
    networks,
    addresses: addressSource,
    file: files.exposures,
    names,
    linkLocal: linkLocalOf(macOf(identity.peer)),
  });
  networks.addUser(exposures);
  inside.follow(exposures);
  endpoints.followHost(exposures);
  exposures.on('changed', () => enforcement.changed());
  const hairpins = new Hairpins({
    firewall,
    ports: () => attachments.ports(),
    isMasqueraded: (name) => exposures.masquerades(name),
    links,
    onFailure: failure(log, 'containers do not reach themselves by ports of this host'),
  });
  attachments.on('attached', () => hairpins.changed());
  attachments.on('detached', () => hairpins.changed());
  exposures.on('changed', () => hairpins.changed());
  return { exposures, hairpins, links };
}
