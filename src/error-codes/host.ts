import { absent, conflict, type ErrorMeaning, failed, refused, usage } from './meaning.js';

/** Errors of the host's interfaces and commands. */
export const HOST_ERRORS = {
  'bridge-taken': failed('The bridge belongs to somebody else.', 'Choose another name with --bridge.'),
  'interface-elsewhere': conflict(
    'The interface of a container is on another network already.',
    'Choose another name with `--interface` to be on a second network.',
  ),
  'interface-taken': conflict(
    "An interface of that name is there and is not this router's.",
    'Choose another name with --interface or --bridge.',
  ),
  'tap-failed': failed(
    'The TAP device cannot be opened.',
    'Load the module tun, and give access to /dev/net/tun.',
  ),
  'tap-lost': failed('The TAP device disappeared while it was set up.', 'None: it is made again.'),
  'command-missing': failed(
    'A command that weft needs is not installed, or failed.',
    'Install what the message names: `weft doctor` lists all.',
  ),
  'command-failed': failed('A command that weft ran failed.', 'See the reason in the message.'),
  'ip-output': failed(
    '`ip` printed something that weft does not understand.',
    'Update iproute2, and report it.',
  ),
  'nft-output': failed(
    '`nft` printed something that weft does not understand.',
    'Update nftables, and report it.',
  ),
  'resolver-failed': failed(
    "The DNS server's namespace cannot be set up.",
    'See the reason in the message, or launch with --no-dns.',
  ),
  'dns-address': failed(
    'The DNS server cannot listen at an address.',
    'Choose another --dns-listen-address.',
  ),
} as const satisfies Record<string, ErrorMeaning>;

/** Errors about containers and what they are given. */
export const CONTAINER_ERRORS = {
  'no-such-container': absent(
    'There is no container, network namespace or process of that name.',
    "`ip netns` and the engine's `ps` list what there is.",
  ),
  'ambiguous-target': conflict(
    'The name is of a container and of something else, too.',
    'Say which: container:NAME, netns:NAME or pid:NUMBER.',
  ),
  'no-such-namespace': absent(
    'There is no network namespace of that name, or it disappeared meanwhile.',
    '`ip netns` lists what there is.',
  ),
  'not-a-namespace': refused(
    'The path is no network namespace.',
    'Give a name of `ip netns`, a process id, or a path such as /run/netns/NAME.',
  ),
  'own-namespace': refused(
    "The namespace is the host's own.",
    '`weft expose` puts the host itself on the network.',
  ),
  'container-stopped': conflict('The container does not run.', 'Start it first.'),
  'not-attached': absent('The container is not attached.', '`weft ps` lists what is.'),
  'of-platform': conflict(
    'A platform of containers made the interface.',
    'Take the container off the network with it, such as by `docker network disconnect`.',
  ),
  'no-such-endpoint': absent(
    'A platform of containers asks for an endpoint that it never made.',
    'Start the container again.',
  ),
  'not-exposed': absent(
    'The host has no such address on the network.',
    "`weft status` lists the host's addresses.",
  ),
  'no-such-name': absent('There is no such DNS name.', '`weft status dns` lists all names.'),
  'bad-mac': usage("The MAC cannot be a container's.", 'Give a unicast one such as 02:00:00:00:00:01.'),
  'bad-label': usage(
    'A label cannot be read, or is longer than labels may be.',
    'Give KEY=VALUE: at most 16 of them, with keys of 63 and values of 253 bytes at most, 4,096 bytes in all.',
  ),
  'mac-used': conflict('Another container has the MAC.', 'Choose another, or detach that container first.'),
  'address-used': conflict('The address is in use.', 'Choose another address, or give none.'),
  'engine-absent': failed('No container engine answers.', 'Start it, or set DOCKER_HOST.'),
  'engine-failed': failed('The container engine failed.', 'See the reason in the message.'),
  'engine-answer': failed(
    'The container engine answered with something that is not of its API.',
    "Report the engine's version.",
  ),
} as const satisfies Record<string, ErrorMeaning>;
