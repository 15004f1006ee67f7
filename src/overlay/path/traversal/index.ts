/** How two routers get through what stands between them: which addresses are probed and when, NATs, TCP where no probe passes. */
export { candidatesOf } from './candidates.js';
export { NATS, type Nat, natConflict, natOf } from './nat.js';
export { Rendezvous } from './rendezvous.js';
export { Streams } from './streams.js';
