import { type ErrorMeaning, failed, refused, unavailable } from './meaning.js';

/** Errors of the forwarder. */
export const FORWARDER_ERRORS = {
  'program-missing': failed(
    'A native program of weft is not there, or cannot be run.',
    'Do what the message says, or install weft anew.',
  ),
  'forwarder-absent': unavailable('No forwarder answers.', 'None: it is started.'),
  'forwarder-failed': failed(
    'The forwarder ended, or did not start.',
    'See forwarder.log in the run directory.',
  ),
  'forwarder-hangs': unavailable(
    'The forwarder does not answer any more, and is killed.',
    'None: it is started again.',
  ),
  'forwarder-lost': unavailable(
    'The forwarder is gone.',
    'None: it is started again; ask again in a second.',
  ),
  'forwarder-protocol': failed(
    'The forwarder answered with something that is not of the contract.',
    'Install daemon and forwarder of one version.',
  ),
  'forwarder-replaced': unavailable('The running forwarder does not fit, and is replaced.', 'None.'),
  'forwarder-timeout': unavailable('The forwarder did not answer in time.', 'None: the router asks again.'),
  'line-too-long': failed(
    "A line on the forwarder's socket is too long.",
    'Install daemon and forwarder of one version.',
  ),
  'self-test-failed': failed("The forwarder's self-test failed.", 'See the reason in the message.'),
  'bridge-unlimited': failed(
    'A bridge cannot be told how many MACs to learn.',
    'See the reason in the message; the router tries again.',
  ),
  'kernel-path-failed': failed(
    "The kernel's datapath of a network cannot be probed, and is not used.",
    'See the reason in the message; the router tries again.',
  ),
  'stream-failed': failed(
    'A TCP connection for data cannot be handed to the forwarder.',
    'None: the router tries again.',
  ),
  'bad-stream': failed('A descriptor that was handed to the forwarder is no TCP connection.', 'Report it.'),
  'bad-kernel-path': failed(
    'A descriptor that was handed to the forwarder is no packet socket.',
    'Report it.',
  ),
  'bad-tap': failed('A descriptor that was handed to the forwarder is no queue of the TAP.', 'Report it.'),
  'index-in-use': failed('The forwarder has a key of this index already; another is agreed.', 'None.'),
  'unknown-op': failed(
    'The forwarder does not know this operation.',
    'Install daemon and forwarder of one version.',
  ),
  'unknown-network': failed('The forwarder does not know this network.', 'None: it is told again.'),
  'unknown-peer': failed('The forwarder does not know this peer.', 'None: it is told again.'),
  'unknown-key': failed('The forwarder does not know this key.', 'None: another is agreed.'),
  'unknown-cipher': failed(
    'The forwarder does not have this cipher.',
    'Install daemon and forwarder of one version.',
  ),
  'unknown-offload': refused('There is no such offload.', 'docs/forwarder.md lists all.'),
  'too-many-paths': failed('The forwarder has as many kernel paths as it can have.', 'None.'),
  'too-many-peers': failed('The forwarder has as many peers as it can have.', 'None.'),
  'too-many-endpoints': failed('The forwarder has as many MAC routes as it can have.', 'None.'),
  unavailable: failed('The kernel refuses what was asked of the forwarder.', 'None.'),
} as const satisfies Record<string, ErrorMeaning>;
