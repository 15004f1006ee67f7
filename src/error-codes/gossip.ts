import { dropped, type ErrorMeaning, failed, retried } from './meaning.js';

/** Errors of what other routers tell. */
export const GOSSIP_ERRORS = {
  'bad-message': dropped('A message cannot be read, or says something impossible.'),
  'bad-hello': dropped('A router introduced itself with the record of another.'),
  'bad-signature': dropped('A record or message is not signed by who it is from.'),
  'bad-endpoint': dropped("A record of a container's interface is malformed."),
  'bad-peer-id': dropped('A peer id is malformed.'),
  'bad-public-key': dropped('A public key is malformed.'),
  'bad-secret': dropped('A network secret has the wrong length.'),
  'short-id-taken': dropped('Two keys have the same short id.'),
  'too-many-members': dropped('There are more members than can be remembered.'),
  'too-many-records': dropped('A router publishes more than others remember of it.'),
  'unknown-channel': dropped('A message is for a gossip channel that is not open here.'),
  'channel-in-use': failed('A gossip channel was opened twice: a fault in weft itself.', 'Report it.'),
  'gossip-failed': failed('A gossip message could not be taken in: a fault in weft itself.', 'Report it.'),
  'unknown-source': dropped('A routed message is from a router that is not known.'),
  'stale-message': dropped('A routed message is for an earlier run of this router.'),
  'repeated-message': dropped('A routed message came twice.'),
  'no-route': dropped('No route to the destination of a routed message is known.'),
} as const satisfies Record<string, ErrorMeaning>;

/** Errors of key agreement and of paths. */
export const SESSION_ERRORS = {
  'cipher-conflict': failed(
    'The two ends insist on different ciphers; the common one is used.',
    'Give both the same --cipher, or auto.',
  ),
  'cipher-mismatch': dropped('The peer chose a cipher that does not follow from both offers.'),
  'session-incomplete': dropped('A key agreement is not complete.'),
  'session-not-genuine': dropped('A key agreement message is not from who it says, or not for this router.'),
  'session-replayed': dropped('An old key agreement message came again.'),
  'no-stream': retried('No TCP connection for data could be made.'),
  'data-plane-failed': retried('The forwarder refused or failed.'),
} as const satisfies Record<string, ErrorMeaning>;
