/** All parts of one router, made of each other in the order of their need: the only room that knows everybody. */
import { Hooks } from '../../plugins/hooks/index.js';
import { rangesOf } from '../addresses/index.js';
import { Checkup } from '../checkup/index.js';
import { InsideSubnets } from '../exposures/index.js';
import { Happenings } from '../happenings/index.js';
import { Retirement } from '../kernel-paths/index.js';
import { logForwarder, logMesh, logOverlay } from '../logging/index.js';
import { PeerPaths } from '../membership/index.js';
import { StatusPlace } from '../observation/index.js';
import { composeControlPlane } from './control-plane.js';
import { composeDataPlane } from './data-plane.js';
import { composeExposures } from './exposures.js';
import { composeHost } from './host.js';
import { composeKernelPaths } from './kernel-paths.js';
import { failure, type Materials } from './materials.js';
import { composePlatforms } from './platforms.js';

export type Parts = ReturnType<typeof compose>;

/** Makes all parts; none of them does anything yet. */
export function compose(materials: Materials) {
  const inside = new InsideSubnets(rangesOf(materials.plan.addresses));
  const control = composeControlPlane(materials, inside);
  const data = composeDataPlane(materials, control);
  const happenings = new Happenings(control.mesh.instance);
  const hooks = composeHooks(materials, happenings);
  const host = composeHost(materials, control, data);
  const outside = composeExposures(materials, data, host, inside);
  const kernelPaths = composeKernelPaths(materials, control, data, host);
  const platforms = composePlatforms(materials, data, host, outside, happenings);
  materials.kubernetes?.on('trouble', (what) => happenings.pluginFailed('kubernetes', what));
  logMesh(control.mesh, materials.log);
  logOverlay(data.overlay, materials.log);
  logForwarder(data.forwarder, materials.log);
  return {
    ...materials,
    inside,
    happenings,
    hooks,
    ...control,
    ...data,
    ...host,
    ...outside,
    ...platforms,
    kernelPaths,
    retirement: new Retirement({
      owner: materials.plan.identity.peer,
      bridge: materials.plan.settings.bridge,
      onFailure: failure(materials.log, 'a kernel path of an earlier run is left'),
    }),
    paths: new PeerPaths(control.mesh, data.overlay, kernelPaths),
    statusPlace: statusPlace(materials),
    checkup: new Checkup({ ...control, ...data, names: host.names, mtu: materials.mtu }),
  };
}

function statusPlace({ request, plan, log }: Materials): StatusPlace {
  const chosenNow = request.settings.statusAddr !== undefined;
  return new StatusPlace({ address: plan.settings.statusAddr, chosenNow, log });
}

function composeHooks({ request, plan, log }: Materials, happenings: Happenings): Hooks {
  const hooks = new Hooks({
    directory: plan.settings.hooksDir,
    runDir: request.runDir,
    onFailure: (what) => log.warn(what),
    onOutput: (hook, line) => log.info(`hook ${hook}: ${line}`),
  });
  hooks.follow(happenings.journal);
  return hooks;
}
