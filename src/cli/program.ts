import { Command } from 'commander';
import { weftVersion } from '../version.js';

type Register = (program: Command) => void;

/** In the order of the help, and under its headings. */
const COMMANDS: Readonly<Record<string, Readonly<Record<string, () => Promise<Register>>>>> = {
  'Start and join:': {
    launch: async () => (await import('./commands/launch.js')).registerLaunch,
    token: async () => (await import('./commands/token.js')).registerToken,
    connect: async () => (await import('./commands/connect.js')).registerConnect,
    forget: async () => (await import('./commands/forget.js')).registerForget,
    doctor: async () => (await import('./commands/doctor.js')).registerDoctor,
    demo: async () => (await import('./commands/demo.js')).registerDemo,
  },
  'Put containers on the network:': {
    attach: async () => (await import('./commands/attach.js')).registerAttach,
    detach: async () => (await import('./commands/detach.js')).registerDetach,
    ps: async () => (await import('./commands/ps.js')).registerPs,
    docker: async () => (await import('./commands/docker.js')).registerDocker,
    cni: async () => (await import('./commands/cni.js')).registerCni,
    kubernetes: async () => (await import('./commands/kubernetes.js')).registerKubernetes,
  },
  'See how it goes:': {
    status: async () => (await import('./commands/status.js')).registerStatus,
    ping: async () => (await import('./commands/ping.js')).registerPing,
    check: async () => (await import('./commands/check.js')).registerCheck,
    trace: async () => (await import('./commands/trace.js')).registerTrace,
    events: async () => (await import('./commands/events.js')).registerEvents,
    wait: async () => (await import('./commands/wait.js')).registerWait,
    report: async () => (await import('./commands/report.js')).registerReport,
  },
  'Names, networks and policies:': {
    'dns-add': async () => (await import('./commands/dns-add.js')).registerDnsAdd,
    'dns-remove': async () => (await import('./commands/dns-remove.js')).registerDnsRemove,
    'dns-lookup': async () => (await import('./commands/dns-lookup.js')).registerDnsLookup,
    network: async () => (await import('./commands/network.js')).registerNetwork,
    policy: async () => (await import('./commands/policy.js')).registerPolicy,
  },
  'Hosts:': {
    expose: async () => (await import('./commands/expose.js')).registerExpose,
    hide: async () => (await import('./commands/hide.js')).registerHide,
    prime: async () => (await import('./commands/prime.js')).registerPrime,
    peer: async () => (await import('./commands/peer.js')).registerPeer,
    rmpeer: async () => (await import('./commands/rmpeer.js')).registerRmpeer,
  },
  'The router of this host:': {
    stop: async () => (await import('./commands/stop.js')).registerStop,
    upgrade: async () => (await import('./commands/upgrade.js')).registerUpgrade,
    'restart-forwarder': async () =>
      (await import('./commands/restart-forwarder.js')).registerRestartForwarder,
    reset: async () => (await import('./commands/reset.js')).registerReset,
    uninstall: async () => (await import('./commands/uninstall.js')).registerUninstall,
    version: async () => (await import('./commands/version.js')).registerVersion,
  },
};

const HELP = `
Examples, two hosts on one Ethernet:
  host-a$ weft launch                         prints the line that joins other hosts
  host-b$ weft launch --token weft1…          that line
  host-a$ weft attach web                     a container, a network namespace, or a process id
  host-b$ weft attach db                      they now reach each other, as web.weft.local and db.weft.local

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no router is running, 4 one is running already.
\`weft COMMAND --help\` tells more. \`weft doctor\` finds out why something does not work.`;

/** Where help goes, and what is wrong with a command line (stderr, unless told otherwise). */
export interface HelpOutput {
  readonly writeOut: (text: string) => void;
  readonly writeErr?: (text: string) => void;
}

/**
 * The tree of all commands, or of one of them only: a `weft status` must not pay for the rest. Where commander would end the process, parsing
 * throws its CommanderError.
 */
export async function weftProgram(output: HelpOutput, onlyCommand?: string): Promise<Command> {
  const program = new Command('weft')
    .description(
      'A userspace overlay router: every container on every host on one encrypted Ethernet segment.',
    )
    .usage('COMMAND [option…]')
    .version(weftVersion(), '--version', 'show the version of this command')
    .helpOption('-h, --help', 'show this help')
    .exitOverride()
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .configureOutput({
      ...output,
      outputError: (text, writeErr) => writeErr(text.replace(/^error: /, 'weft: ')),
    })
    .showSuggestionAfterError()
    .addHelpText('after', HELP);
  for (const [group, commands] of Object.entries(COMMANDS)) {
    program.commandsGroup(group);
    const only = onlyCommand === undefined ? undefined : commands[onlyCommand];
    if (onlyCommand !== undefined && only === undefined) continue;
    const loading = only === undefined ? Object.values(commands) : [only];
    const registers = await Promise.all(loading.map((load) => load()));
    for (const register of registers) register(program);
  }
  return program.helpCommand('help [command]', 'show the help of a command');
}

/** Whether there is a command of this name. */
export function isCommand(name: string): boolean {
  return Object.values(COMMANDS).some((commands) => Object.hasOwn(commands, name));
}
