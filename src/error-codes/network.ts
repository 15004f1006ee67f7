import { absent, conflict, dropped, type ErrorMeaning, failed, usage } from './meaning.js';

/** Errors about networks. */
export const NETWORK_ERRORS = {
  'no-such-network': absent('There is no network of that name.', '`weft network ls` lists all.'),
  'network-exists': conflict('A network of that name is there already.', 'Use it, or choose another name.'),
  'network-used': conflict('Containers are on the network.', 'Detach them first.'),
  'too-many-networks': conflict(
    'There are as many networks as there may be.',
    'Remove one that is not used.',
  ),
  'bad-number': dropped('A network cannot have this number.'),
} as const satisfies Record<string, ErrorMeaning>;

/** Errors about addresses. */
export const ADDRESS_ERRORS = {
  'no-addresses': conflict(
    'The router can hand out no addresses yet, or no longer.',
    '`weft status ipam` says what it waits for.',
  ),
  'no-space': conflict(
    'All addresses of the subnet are in use.',
    'Remove containers, or use a larger subnet.',
  ),
  'not-in-time': conflict(
    'Other routers did not answer in time.',
    'Try again; remove a dead router with `weft rmpeer`.',
  ),
  'address-conflict': failed(
    'Another router says that addresses of this one are its own.',
    'Run `weft reset` on the one that the message names.',
  ),
  'not-its-owner': dropped('A router gave away addresses that were not its own.'),
  'ring-mismatch': failed(
    'Another router hands out addresses of another range, or of one that was founded apart.',
    'Launch all routers with the same --ipalloc-range; reset the ones that began apart.',
  ),
  'not-saved': failed(
    'What the router owns cannot be written to the disk.',
    'See the reason in the message.',
  ),
  'impossible-record': dropped('A record of the address ring has contents that no correct router signs.'),
  'message-too-long': failed(
    'The address ring has more records than a message to another router can carry.',
    'Expel the router that makes them up, if the log names one; else use fewer, larger subnets.',
  ),
  'bad-electors': usage(
    'The number of electors is out of range.',
    'Give one from 1 to the limit in the message.',
  ),
  'election-mismatch': failed(
    'Routers were launched with different numbers of electors.',
    'Give all the same.',
  ),
} as const satisfies Record<string, ErrorMeaning>;
