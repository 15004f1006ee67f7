/**
 * The lab: hosts, wires, routers and containers made of network namespaces, with real routers on them.
 *
 *     const lab = await Lab.create();
 *     const [a, b] = await lab.hosts(2, { mtu: 1500 });
 *     await a.launch();
 *     await b.launch({ token: await a.token() });
 *     const c1 = await a.container('c1', '10.32.0.1/24');
 *     const c2 = await b.container('c2', '10.32.0.2/24');
 *     await c1.reaches(c2.address);
 */
export {
  Capture,
  type Datagram,
  datagrams,
  frames,
  type TcpStream,
  type Transport,
  tcpStreams,
  transports,
} from './capture.js';
export { type CniError, type CniResult, CniRuntime, PLUGINS } from './cni.js';
export { attempt, CommandFailed, type Finished, Running, run } from './command.js';
export { Container } from './container.js';
export {
  type ContainerConfig,
  Containerd,
  Pod,
  type PodOptions,
  type PodSandboxConfig,
} from './containerd/index.js';
export { type DockerEndpoint, DockerEngine, type Inspected } from './docker.js';
export { Host, type Launched, type LaunchOptions } from './host.js';
export { Lab } from './lab.js';
export { Node } from './node.js';
export { Podman } from './podman.js';
export { reboot } from './reboot.js';
export { Router } from './router.js';
export { Terminal } from './terminal.js';
export {
  awaitFrame,
  Exchange,
  type Exchanged,
  inject,
  Listener,
  openConnections,
  type Seen,
  Sender,
  type Stream,
  sendFlood,
  sendFrame,
  sendFrames,
  sendGarbage,
} from './traffic.js';
export { lasting, NotInTime, until } from './until.js';
export { type Kind, Loss, Port, Wire, type WireOptions } from './wire.js';
