import { isInSubnets, underlayAddresses } from '../../hostnet/index.js';
import { announcementMarks } from '../../identity/index.js';
import { Mesh } from '../../mesh/index.js';
import { Discovery, parseSource, pause } from '../../plugins/discovery/index.js';
import { weftVersion } from '../../version.js';
import type { InsideSubnets } from '../exposures/index.js';
import { errorFields } from '../logging/index.js';
import { KnownMembers, Targets, Trust } from '../membership/index.js';
import type { Materials } from './materials.js';

export type ControlPlane = ReturnType<typeof composeControlPlane>;

/** Who takes part, and how messages get to them. */
export function composeControlPlane(
  { request, plan, mtu, log, kubernetes }: Materials,
  inside: InsideSubnets,
) {
  const { identity, network, settings, files } = plan;
  const { port, nickname, advertise, discovery, connLimit } = settings;
  const trust = new Trust({
    identity,
    network,
    stored: plan.trust,
    file: files.trust,
    stateDir: request.stateDir,
    log,
  });
  const mesh = new Mesh({
    identity,
    network,
    nickname,
    version: weftVersion(),
    port,
    mtu,
    endpoints: advertise,
    discovery,
    limits: connLimit === 'auto' ? {} : { connections: connLimit },
    admits: (peer, incarnation) => trust.admits(peer, incarnation),
    localAddresses: () => underlayAddresses(inside.all),
    isInside: (address) => isInSubnets(address, inside.all),
  });
  const members = new KnownMembers({
    mesh,
    file: files.members,
    onFailure: (error) => log.warn(`members are not saved: ${String(error)}`, errorFields(error)),
  });
  const sources = composeDiscovery({ plan, log, kubernetes }, { mesh, trust, inside });
  const targets = new Targets({
    mesh,
    file: files.targets,
    connected: plan.connected,
    sourcesOf: (target) => sources.sourcesOf(target),
  });
  return { trust, mesh, members, sources, targets };
}

/** Who else tells at which addresses other routers may be. */
function composeDiscovery(
  { plan, log, kubernetes }: Pick<Materials, 'plan' | 'log' | 'kubernetes'>,
  { mesh, trust, inside }: { mesh: Mesh; trust: Trust; inside: InsideSubnets },
): Discovery {
  const { identity, settings } = plan;
  const context = {
    peer: identity.peer,
    addresses: () => mesh.member(identity.peer)?.endpoints ?? [],
    port: settings.port,
    ownAddresses: async () => {
      const all = await underlayAddresses(inside.all);
      return all.filter(({ use }) => use !== 'spare').map(({ address }) => address);
    },
    marks: (text: string) => announcementMarks(trust.network, text),
    resolvConf: settings.resolvConf,
    pause,
  };
  return new Discovery({
    sources: [
      ...settings.discover.map((text) => parseSource(text)(context)),
      ...(kubernetes === undefined ? [] : [kubernetes.source]),
    ],
    onTargets: (targets) => mesh.discover(targets),
    onNotice: (text) => log.info(text),
    onTrouble: (text) => log.warn(text),
  });
}
