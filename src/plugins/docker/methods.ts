import { WeftError } from '../../errors.js';
import type { DockerEndpoints, DockerNetworks } from './driver/index.js';
import { GLOBAL_SPACE, type IpamDriver, LOCAL_SPACE } from './ipam/index.js';
import {
  AddressReleaseRequest,
  AddressRequest,
  constant,
  EndpointReference,
  EndpointRequest,
  JoinRequest,
  type Methods,
  method,
  NetworkReference,
  NetworkRequest,
  PoolReleaseRequest,
  PoolRequestBody,
} from './server/index.js';

export interface Drivers {
  readonly ipam: IpamDriver;
  readonly networks: DockerNetworks;
  readonly endpoints: DockerEndpoints;
  /** Networks are those of a swarm, and not made on each host. */
  readonly swarm: boolean;
}

/** All that Docker may ask, by the paths of its requests. */
export function methodsOf({ ipam, networks, endpoints, swarm }: Drivers): Methods {
  return {
    'Plugin.Activate': constant({ Implements: ['NetworkDriver', 'IpamDriver'] }),
    'IpamDriver.GetCapabilities': constant({ RequiresMACAddress: false, RequiresRequestReplay: false }),
    'IpamDriver.GetDefaultAddressSpaces': constant({
      LocalDefaultAddressSpace: LOCAL_SPACE,
      GlobalDefaultAddressSpace: GLOBAL_SPACE,
    }),
    'IpamDriver.RequestPool': method(PoolRequestBody, (body) => ipam.requestPool(body)),
    'IpamDriver.ReleasePool': method(PoolReleaseRequest, (body) => ipam.releasePool(body)),
    'IpamDriver.RequestAddress': method(AddressRequest, (body) => ipam.requestAddress(body)),
    'IpamDriver.ReleaseAddress': method(AddressReleaseRequest, (body) => ipam.releaseAddress(body)),
    'NetworkDriver.GetCapabilities': constant({
      Scope: swarm ? 'global' : 'local',
      ConnectivityScope: 'global',
      GwAllocChecker: true,
    }),
    'NetworkDriver.GwAllocCheck': constant({ SkipIPv4: true, SkipIPv6: true }),
    'NetworkDriver.AllocateNetwork': swarm
      ? method(NetworkRequest, (body) => networks.allocate(body))
      : method(NetworkReference, refuseSwarm),
    'NetworkDriver.FreeNetwork': constant({}),
    'NetworkDriver.CreateNetwork': method(NetworkRequest, (body) => networks.create(body)),
    'NetworkDriver.DeleteNetwork': method(NetworkReference, (body) => networks.remove(body)),
    'NetworkDriver.CreateEndpoint': method(EndpointRequest, (body) => endpoints.create(body)),
    'NetworkDriver.EndpointOperInfo': constant({ Value: {} }),
    'NetworkDriver.Join': method(JoinRequest, (body) => endpoints.join(body)),
    'NetworkDriver.Leave': method(EndpointReference, (body) => endpoints.leave(body)),
    'NetworkDriver.DeleteEndpoint': method(EndpointReference, (body) => endpoints.remove(body)),
    'NetworkDriver.ProgramExternalConnectivity': constant({}),
    'NetworkDriver.RevokeExternalConnectivity': constant({}),
    'NetworkDriver.DiscoverNew': constant({}),
    'NetworkDriver.DiscoverDelete': constant({}),
  };
}

async function refuseSwarm(): Promise<never> {
  throw new WeftError(
    'bad-request',
    'weft networks are made on each host: leave --scope swarm out, or make weft a managed plugin',
  );
}
