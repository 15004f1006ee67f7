import { Forwarder, ForwarderDataPlane, locateForwarder } from '../../forwarder/index.js';
import * as hostnet from '../../hostnet/index.js';
import { waysTo } from '../../hostnet/index.js';
import type { Mesh } from '../../mesh/index.js';
import { Overlay } from '../../overlay/index.js';
import type { Plan } from '../launch/index.js';
import { PublishedPolicies } from '../policies/index.js';
import { Networks, PublishedNetworks } from '../segments/index.js';
import { runPaths } from '../state/paths.js';
import type { ControlPlane } from './control-plane.js';
import { failure, type Materials } from './materials.js';

/** Number of routers that keep what others published and left behind. */
const KEEPERS = 3;

export type DataPlane = ReturnType<typeof composeDataPlane>;

/** What moves frames, and the networks that it moves them on. */
export function composeDataPlane({ request, plan, mtu, log }: Materials, { mesh }: ControlPlane) {
  const { identity, network, settings, files } = plan;
  const { cipher, trustedSubnets, rekeyInterval } = settings;
  const forwarder = new Forwarder(forwarderOptions(request.runDir, plan));
  const overlay = new Overlay({
    identity,
    network,
    mesh,
    dataPlane: new ForwarderDataPlane(forwarder),
    cipher,
    trustedSubnets,
    waysTo: (addresses) => waysTo(addresses, identity.peer),
    timings: { rekeyInterval: rekeyInterval * 1000 },
  });
  const records = new PublishedNetworks({
    identity,
    mesh,
    file: files.networks,
    onFailure: failure(log, 'a record of a network is lost'),
  });
  const networks = new Networks({
    bridge: settings.bridge,
    owner: identity.peer,
    mtu,
    forwarder,
    host: hostnet,
    records,
    onSegments: (numbers) => overlay.setNetworks(numbers),
    isKeeper: () => isAmongFirst(mesh, KEEPERS),
    onFailure: failure(log, 'a network cannot be served'),
  });
  const publishedPolicies = new PublishedPolicies({
    identity,
    mesh,
    file: files.policies,
    isKeeper: () => isAmongFirst(mesh, KEEPERS),
    onFailure: failure(log, 'a policy is lost'),
  });
  return {
    forwarder,
    overlay,
    records,
    networks,
    publishedPolicies,
  };
}

/** Whether this router is one of the first by id of those that are present. */
function isAmongFirst(mesh: Mesh, count: number): boolean {
  const present = mesh.members().filter(({ left }) => !left);
  const self = present.find((member) => member.self);
  return self !== undefined && present.filter(({ peer }) => peer < self.peer).length < count;
}

function forwarderOptions(runDir: string, { settings, identity }: Plan) {
  const { forwarder, forwarderLog } = runPaths(runDir);
  return {
    binary: locateForwarder(),
    controlPath: forwarder,
    logPath: forwarderLog,
    port: settings.port,
    workers: settings.workers === 'auto' ? undefined : settings.workers,
    udpPorts: settings.udpPorts,
    disabledOffloads: settings.disabledOffloads,
    stormLimit: settings.stormLimit,
    self: identity.peer,
  };
}
