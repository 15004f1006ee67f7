/** The plugin socket: what Docker sends there, and the server that answers. */
export {
  AddressReleaseRequest,
  AddressRequest,
  constant,
  EndpointReference,
  EndpointRequest,
  type IpamData,
  JoinRequest,
  type Method,
  type Methods,
  method,
  NetworkReference,
  NetworkRequest,
  PoolReleaseRequest,
  PoolRequestBody,
} from './protocol.js';
export { PluginServer, type PluginServerOptions } from './server.js';
