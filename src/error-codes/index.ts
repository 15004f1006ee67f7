/**
 * Every error that a user, a caller or another router can meet: what its code means, and what to do. docs/errors.md is made from this
 * table (`npx tsx scripts/errors.ts`), and a code that is not in it does not compile.
 */
import { CNI_ERRORS } from './cni.js';
import { API_ERRORS, COMMAND_ERRORS } from './command.js';
import { DOCKER_ERRORS } from './docker.js';
import { FORWARDER_ERRORS } from './forwarder.js';
import { GOSSIP_ERRORS, SESSION_ERRORS } from './gossip.js';
import { CONTAINER_ERRORS, HOST_ERRORS } from './host.js';
import { KUBERNETES_ERRORS } from './kubernetes.js';
import { FILE_ERRORS, LAUNCH_ERRORS } from './launch.js';
import { LINK_ERRORS } from './link.js';
import type { ErrorMeaning } from './meaning.js';
import { ADDRESS_ERRORS, NETWORK_ERRORS } from './network.js';
import { PEER_ERRORS } from './peer.js';
import { POLICY_ERRORS } from './policy.js';

export type { ErrorMeaning } from './meaning.js';

/** By what they are about. */
export const ERRORS_BY_SUBJECT = {
  'The command line': COMMAND_ERRORS,
  'The API': API_ERRORS,
  Launch: LAUNCH_ERRORS,
  Files: FILE_ERRORS,
  'The host': HOST_ERRORS,
  Containers: CONTAINER_ERRORS,
  Docker: DOCKER_ERRORS,
  CNI: CNI_ERRORS,
  Kubernetes: KUBERNETES_ERRORS,
  Networks: NETWORK_ERRORS,
  Addresses: ADDRESS_ERRORS,
  'Network policies': POLICY_ERRORS,
  Peers: PEER_ERRORS,
  Links: LINK_ERRORS,
  Gossip: GOSSIP_ERRORS,
  'Sessions and paths': SESSION_ERRORS,
  'The forwarder': FORWARDER_ERRORS,
};

const ERRORS = {
  ...COMMAND_ERRORS,
  ...API_ERRORS,
  ...LAUNCH_ERRORS,
  ...FILE_ERRORS,
  ...HOST_ERRORS,
  ...CONTAINER_ERRORS,
  ...DOCKER_ERRORS,
  ...CNI_ERRORS,
  ...KUBERNETES_ERRORS,
  ...NETWORK_ERRORS,
  ...ADDRESS_ERRORS,
  ...POLICY_ERRORS,
  ...PEER_ERRORS,
  ...LINK_ERRORS,
  ...GOSSIP_ERRORS,
  ...SESSION_ERRORS,
  ...FORWARDER_ERRORS,
};

export type ErrorCode = keyof typeof ERRORS;

/** What a code stands for. */
export function meaningOf(code: ErrorCode): ErrorMeaning {
  return ERRORS[code];
}

/** Whether a text from outside (the forwarder, the API) is a code that this version knows. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERRORS, text);
}
