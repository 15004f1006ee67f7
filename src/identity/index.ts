/** Who this router is (its key pair) and which network it belongs to (the shared secret). docs/protocol.md, sections 1 and 5. */
export { announcementMarks } from './announcement.js';
export { blake2b } from './hash.js';
export type { Identity } from './identity.js';
export {
  identityFromSeed,
  loadKeyPair,
  loadOrCreateIdentity,
  loadOrCreateKeyPair,
} from './identity.js';
export type { Network, NetworkMode } from './network.js';
export {
  isLater,
  liveSecrets,
  loadNetwork,
  networkFromPassword,
  networkFromToken,
  newNetwork,
  saveNetwork,
  withSecret,
  withTrustReset,
} from './network.js';
export { adminKeyPath } from './paths.js';
export type { PeerId, PublicKey } from './peer-id.js';
export {
  isPeerId,
  parsePeerId,
  parsePublicKey,
  peerIdBytes,
  peerIdFromBytes,
  peerIdOf,
  samePublicKey,
} from './peer-id.js';
export { corruptFile, readPrivateJson, writePrivateJson } from './private-file.js';
export type { NetworkSecret } from './secret.js';
export { newSecret, parseSecret, proofKeyOf } from './secret.js';
export type { JoinToken, TokenNetwork } from './token.js';
export { encodeToken, MAX_TOKEN_ADDRESSES, parseToken } from './token.js';
