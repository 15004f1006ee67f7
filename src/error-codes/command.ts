import {
  absent,
  conflict,
  type ErrorMeaning,
  failed,
  forbidden,
  refused,
  unavailable,
  usage,
} from './meaning.js';

/** Errors of the command line. */
export const COMMAND_ERRORS = {
  usage: usage('The command line makes no sense.', '`weft COMMAND --help` shows what the command takes.'),
  'not-uninstalled': failed(
    'The package manager did not remove weft.',
    'See what it says, and remove the package with it.',
  ),
  'bad-launch': usage(
    'A value given to `weft launch` is malformed.',
    'Correct the value that the message names.',
  ),
  'bad-address': usage(
    'An address cannot be read, or cannot be used there.',
    'Give an address of the form that the message names.',
  ),
  'bad-source': usage(
    'A source of targets, as --discover names it, cannot be read.',
    'Give KIND:ARGUMENT as `weft launch --help` shows.',
  ),
  'bad-target': usage('A peer to connect to cannot be read.', 'Give host, host:port, or [address]:port.'),
  'bad-cidr': usage(
    "An address with a prefix length cannot be read, or cannot be a container's.",
    'Give one such as 10.32.0.1/12.',
  ),
  'bad-subnet': usage(
    'A subnet cannot be read, or is not part of what it must be part of.',
    'Give one such as 10.32.0.0/16.',
  ),
  'bad-bridge-name': usage(
    'The name cannot be that of a Linux interface.',
    'Give at most 15 letters, digits, dots and dashes.',
  ),
  'bad-interface-name': usage(
    'The name cannot be that of a Linux interface.',
    'Give at most 15 letters, digits, dots and dashes.',
  ),
  'bad-mtu': usage('The MTU is out of range.', "Leave --mtu out: it follows the host's."),
  'bad-domain': usage('The DNS domain cannot be used.', 'Give one such as weft.local.'),
  'bad-name': usage(
    'A name cannot be used in DNS, or not there.',
    'Give letters, digits and dashes, with dots between.',
  ),
  'bad-network-name': usage(
    'The name of a network cannot be used.',
    'Give letters, digits, dots, dashes and underscores.',
  ),
  'bad-ipalloc-init': usage(
    '--ipalloc-init cannot be read.',
    'Give consensus, consensus=N, seed=PEER,… or observer.',
  ),
  'token-prefix': usage('What was given is no join token.', 'Copy the whole line that `weft token` prints.'),
  'token-version': usage('The token is of another version of weft.', 'Use the same version on both hosts.'),
  'token-truncated': usage(
    'The end of the token is missing.',
    'Copy the whole line that `weft token` prints.',
  ),
  'token-mistyped': usage(
    'The token was changed on its way.',
    'Copy the whole line that `weft token` prints.',
  ),
  'bad-password': failed(
    'The password is empty, or its file cannot be used.',
    'Give a password of at least a dozen characters.',
  ),
  'not-running': {
    status: 503,
    exit: 3,
    meaning: 'No router runs with this run directory.',
    remedy: 'Start it with `weft launch`, or name its directory with --run-dir.',
  },
  'no-answer': failed(
    'The router accepted the request and did not answer.',
    'See daemon.log in the run directory.',
  ),
  'no-reader': failed('Nobody reads what the command writes.', 'None: it ends quietly.'),
  'output-failed': failed(
    'What the command had to say cannot be written.',
    'Make room on the disk; what was asked for was done.',
  ),
  'wait-timeout': failed(
    'What `weft wait` waits for did not become true in time.',
    '`weft status` shows how far it is; --timeout gives it more time.',
  ),
  'check-failed': failed(
    'Between this router and a peer not everything works.',
    'Do what `weft check` says below its table.',
  ),
  'no-privilege': forbidden('The user may not do this.', 'Run weft as root.'),
} as const satisfies Record<string, ErrorMeaning>;

/** Errors of the API. */
export const API_ERRORS = {
  'bad-request': refused('The request does not fit its schema.', 'GET /openapi.json describes all requests.'),
  'no-such-route': absent('The API has no such path.', 'GET /openapi.json lists all paths.'),
  'read-only': {
    status: 405,
    exit: 1,
    meaning: 'The status address changes nothing.',
    remedy: 'Use the `weft` command, which asks the private socket.',
  },
  'foreign-site': forbidden(
    'A page of another site, or somebody under another name, asks the status address.',
    'Ask by an IP address, localhost or the name of the host.',
  ),
  internal: failed('A fault in weft itself.', 'See the log, and report it.'),
  'too-many-readers': unavailable('Too many read the events already.', 'End one of those who do.'),
  stopping: conflict('The router is being stopped.', 'Wait, then launch it again.'),
  cancelled: conflict('The request was given up because the router stops.', 'Ask again when it runs.'),
} as const satisfies Record<string, ErrorMeaning>;
