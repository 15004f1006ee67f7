import { absent, conflict, type ErrorMeaning, failed } from './meaning.js';

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
  'not-removed': failed('The peer was not removed.', 'None: it only says what does not hold.'),
  'not-revoked': failed('The peer was not expelled.', 'None: it only says what does not hold.'),
  'no-such-target': absent('The address is no target.', '`weft status targets` lists all.'),
  'rotation-unfinished': conflict(
    'The secret is being replaced already.',
    'Wait until all have confirmed, or finish it with `weft token rotate --finish`.',
  ),
  'no-rotation': conflict('The secret is not being replaced.', 'None.'),
  'password-network': conflict(
    'The secret is a password, which only people can replace.',
    'Reset the routers, and launch them with the new one.',
  ),
  'too-many-statements': failed(
    'The network has removed or expelled as many peers as can be remembered.',
    'Begin a new network.',
  ),
} as const satisfies Record<string, ErrorMeaning>;
