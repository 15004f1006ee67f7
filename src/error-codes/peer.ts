import { absent, conflict, dropped, type ErrorMeaning, failed, usage } from './meaning.js';

/** Errors about other routers. */
export const PEER_ERRORS = {
  'no-such-peer': absent('No peer has that name or id.', '`weft status peers` lists all.'),
  'ambiguous-peer': conflict('Several peers have that nickname.', 'Give the peer id.'),
  'own-peer': conflict('The peer is this router itself.', '`weft reset` makes this router leave.'),
  'peer-alive': conflict(
    'The peer is alive, or was seconds ago.',
    'Stop, reset or expel it instead of removing it.',
  ),
  'removed-already': conflict('The peer was removed already.', 'None.'),
  'not-removed': failed('The peer was not removed.', 'The message says why; else expel it.'),
  'not-revoked': failed('The peer was not expelled.', 'None: it only says what does not hold.'),
  'no-such-target': absent('The address is no target.', '`weft status targets` lists all.'),
  'rotation-unfinished': conflict(
    'The secret is being replaced already.',
    'Wait until all have confirmed, or finish it with `weft token rotate --finish`.',
  ),
  'no-rotation': conflict('The secret is not being replaced.', 'None.'),
  'rotation-exhausted': conflict(
    'There is no secret after the present one.',
    'Begin anew with `weft token rotate --reset-trust`.',
  ),
  'password-network': conflict(
    'The secret is a password, which only people can replace.',
    'Reset the routers, and launch them with the new one.',
  ),
  'no-administrator': conflict(
    'The network has no administrator.',
    'Leave --admin and --admin-key out: every router may expel, remove and rotate.',
  ),
  'administrator-only': conflict(
    "Only the network's administrator may say this, and its key is not on this host.",
    'Run it where the key is, or give it with --admin-key.',
  ),
  'wrong-admin-key': conflict("The key is not that of the network's administrator.", 'Give the right one.'),
  'bad-admin-key': usage(
    'The file holds no key of an administrator.',
    'Name the file that `weft launch` made.',
  ),
  'void-statement': dropped('A router said something that does not count in this network.'),
  'too-many-statements': failed(
    'A router said as much about others as is kept of one.',
    'Say it on another router; expel the one that the log names if it makes things up.',
  ),
} as const satisfies Record<string, ErrorMeaning>;
