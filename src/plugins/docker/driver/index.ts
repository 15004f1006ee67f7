/** What Docker asks of a network driver: networks, and the containers' ends of them. */
export { DockerEndpoints, type DockerEndpointsOptions } from './endpoints.js';
export { DockerNetworks, type DockerNetworksOptions, DRIVER } from './networks.js';
export { NETWORK } from './options.js';
