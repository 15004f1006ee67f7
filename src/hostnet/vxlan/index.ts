/** VXLAN in the kernel: the device beside the TAP, who is behind it, and who may send to it. */
export { ensureVxlan, type VxlanOptions, vxlanFlaw, vxlansOf } from './device.js';
export { type Admitted, guardTable, VxlanGuard } from './guard.js';
export { ForwardingMonitor } from './monitor.js';
export { change, changesOf, type Remote, releaseStations, type Stations, stationsOf } from './stations.js';
