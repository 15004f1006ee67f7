import { absent, conflict, dropped, type ErrorMeaning, usage } from './meaning.js';

/** Errors about network policies. */
export const POLICY_ERRORS = {
  'bad-policy': usage(
    'A network policy cannot be read, or says something that it cannot mean.',
    'Correct the field that the message names.',
  ),
  'bad-policy-record': dropped('A router published a network policy that no router makes.'),
  'no-such-policy': absent('There is no network policy of that name.', '`weft policy ls` lists all.'),
  'no-such-pod': absent(
    'Nothing is known of what was named as a source or a destination.',
    'Give the name of a container, or an address.',
  ),
  'too-many-policies': conflict(
    'There are as many network policies as there may be.',
    'Remove some, or make one of several.',
  ),
} as const satisfies Record<string, ErrorMeaning>;
