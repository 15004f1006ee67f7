import type { Ipam } from '../../api/index.js';
import { messageOf } from '../../errors.js';
import { nativeProgram } from '../../native-program.js';
import { CNI_PROGRAM, CniPlugin } from '../../plugins/cni/index.js';
import { DockerPlugin } from '../../plugins/docker/index.js';
import { LabelledContainers } from '../../plugins/labels/index.js';
import { Netavark } from '../../plugins/podman/index.js';
import type { Happenings } from '../happenings/index.js';
import { errorFields } from '../logging/index.js';
import { Platforms } from '../platforms/index.js';
import type { DataPlane } from './data-plane.js';
import type { Outside } from './exposures.js';
import type { Host } from './host.js';
import type { Materials } from './materials.js';

/** What serves platforms of containers. */
export function composePlatforms(
  { request, plan, mtu, log, kubernetes }: Materials,
  { networks }: DataPlane,
  { addresses, addressSource, attachments, containers }: Host,
  { exposures }: Outside,
  happenings: Happenings,
) {
  const { settings, files } = plan;
  const platforms = new Platforms({
    mtu,
    plan: plan.addresses,
    domain: settings.dns ? settings.dnsDomain : null,
    networks,
    addresses: addressSource,
    obstacle: () => obstacleOf(addresses.status()),
    attachments,
    exposures,
  });
  const onFailure = (plugin: string) => (what: string, error: unknown) => {
    log.warn(`${what}: ${messageOf(error)}`, errorFields(error));
    happenings.pluginFailed(plugin, `${what}: ${messageOf(error)}`);
  };
  const docker = new DockerPlugin({
    host: platforms.host('docker'),
    file: files.docker,
    engines: containers,
    swarm: request.docker === 'swarm',
    onNotice: (what) => log.info(what),
    onFailure: onFailure('docker'),
  });
  const cni = new CniPlugin({
    host: platforms.host('cni'),
    file: files.cni,
    runDir: request.runDir,
    program: () => nativeProgram(CNI_PROGRAM),
    meet: async (pod) => await kubernetes?.meet(pod),
    onFailure: onFailure('cni'),
  });
  const labelled = new LabelledContainers({
    isAttached: (id) => attachments.isAttached(id),
    attach: (request) => attachments.attach(request),
    onFailure: (container, error) => {
      const what = `${container} is not attached as its labels say: ${messageOf(error)}`;
      log.warn(what, errorFields(error));
      happenings.pluginFailed('labels', what);
    },
  });
  return { docker, cni, labelled, netavark: new Netavark(platforms.host('podman')) };
}

/** Why no addresses can be given. */
function obstacleOf({ founders, note }: Ipam): string | null {
  return founders.length > 0 ? null : `there is no address space yet${note === null ? '' : `: ${note}`}`;
}
