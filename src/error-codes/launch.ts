import { conflict, type ErrorMeaning, failed } from './meaning.js';

/** Errors of a launch. */
export const LAUNCH_ERRORS = {
  'already-running': {
    status: 500,
    exit: 4,
    meaning: 'A router runs with this run or state directory already.',
    remedy: '`weft status` shows it; give the second one directories of its own.',
  },
  'old-kernel': failed('The kernel lacks what weft needs.', 'Upgrade it, to Linux 5.12 or later.'),
  'launch-failed': failed(
    'The router ended before it was ready.',
    'See daemon.log, which the message names.',
  ),
  'launch-timeout': failed(
    'The router was not ready in time, and was ended.',
    'See daemon.log, which the message names.',
  ),
  interrupted: failed('The launch was interrupted; no router runs.', 'Launch again.'),
  'run-dir-gone': failed(
    'The run directory was removed while the router ran, so it stopped.',
    'Launch again.',
  ),
  'port-in-use': failed(
    'The port is taken by another program.',
    'Stop that program, or choose another port with --port.',
  ),
  'status-address': failed(
    'The router cannot listen at the status address.',
    'Choose another --status-addr, or none.',
  ),
  'listen-failed': failed('The router cannot listen on its port.', 'See the reason in the message.'),
  'bad-directory': failed(
    'The run or state directory cannot be used.',
    'Choose another with --run-dir or --state-dir.',
  ),
  'range-used': failed(
    'The address range for containers is in use on this host.',
    'Choose another --ipalloc-range, the same on every host.',
  ),
  'range-changed': failed(
    'The router owns addresses of another range than was given.',
    'Launch it with the range that the message names, or reset all hosts.',
  ),
  'other-network': conflict(
    'The router belongs to another network.',
    '`weft reset` makes it leave that one.',
  ),
} as const satisfies Record<string, ErrorMeaning>;

/** Errors of files. */
export const FILE_ERRORS = {
  'disk-full': {
    status: 507,
    exit: 1,
    meaning: 'The disk is full; nothing was changed.',
    remedy: 'Make room, then try again.',
  },
  'file-corrupt': failed(
    'A file in the state directory is damaged.',
    'Restore it from a backup, or move it away to begin anew.',
  ),
  'file-not-private': failed(
    'A file with a secret belongs to another user.',
    'Change its owner, or use another state directory.',
  ),
  'file-unreadable': failed(
    'A file in the state directory cannot be read.',
    'See the reason in the message.',
  ),
} as const satisfies Record<string, ErrorMeaning>;
