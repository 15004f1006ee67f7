import { dropped, type ErrorMeaning, failed, retried } from './meaning.js';

/** Errors of links to other routers. */
export const LINK_ERRORS = {
  'connect-failed': retried('The connection was refused or failed.'),
  'connect-timeout': retried('The address did not answer.'),
  'connect-aborted': retried('The connection was not wanted any more.'),
  'name-not-found': failed(
    'A name cannot be resolved.',
    'Check the spelling and /etc/resolv.conf; the router tries again.',
  ),
  'name-unanswered': retried('No DNS server answers.'),
  'no-address': retried('No address of the peer is known.'),
  'source-failed': retried('A source of targets does not answer as it should.'),
  self: failed('The address leads back to this router.', 'None.'),
  'not-connected': retried('The peer did not connect in time.'),
  'handshake-failed': retried('The handshake failed.'),
  'handshake-timeout': retried('The other side did not finish the handshake in time.'),
  'handshake-closed': retried(
    'The connection was closed during the handshake: perhaps the other side is no weft router.',
  ),
  'wrong-secret': failed(
    'The two hosts belong to different networks.',
    'Use the same token or password on both.',
  ),
  'old-secret': failed(
    "The network's secret was replaced, and the old one admits nobody new.",
    'Join with a new token.',
  ),
  'version-mismatch': failed(
    'Two parts of weft are of versions that do not speak to each other: routers, a router and its forwarder, or a command and the router.',
    'Do what the message says: docs/install.md tells which versions speak to each other.',
  ),
  'identity-cloned': failed('Two routers have one identity: a host was copied.', '`weft reset` on the copy.'),
  'peer-removed': failed(
    'The peer was removed from the network as dead.',
    'None: it comes back with its next start.',
  ),
  'peer-revoked': failed('The peer was expelled from the network, and is refused.', 'None.'),
  'other-peer': retried('Another router than the one that was sought answers at the address.'),
  revoked: failed(
    'This router was expelled from the network.',
    '`weft reset` on it, then join with a new token if its operator is welcome.',
  ),
  'duplicate-link': retried('Another link to the same peer is used.'),
  'surplus-link': retried('The peer has links enough.'),
  'peer-stopped': retried('The peer was stopped.'),
  'peer-closed': retried('The peer closed the connection.'),
  'peer-restarted': retried('The peer was restarted.'),
  'link-failed': retried('The link failed.'),
  'link-timeout': retried('The peer has been silent for too long.'),
  'link-not-established': retried('The link is not established yet.'),
  'send-queue-full': retried('A message was not sent: the peer reads too slowly.'),
  'frame-too-large': dropped('A frame on a link is too large.'),
} as const satisfies Record<string, ErrorMeaning>;
