/** The `weft` command. Only the command that is used is loaded: a `weft status` must not pay for the rest. */
import '../inspector.js';
import { Command, CommanderError } from 'commander';
import { weftVersion } from '../version.js';
import { fail } from './errors.js';
import { watchStreams, write } from './terminal/index.js';

type Register = (program: Command) => void;

/** In the order of the help. */
const COMMANDS: Readonly<Record<string, () => Promise<Register>>> = {
  launch: async () => (await import('./commands/launch.js')).registerLaunch,
  connect: async () => (await import('./commands/connect.js')).registerConnect,
  forget: async () => (await import('./commands/forget.js')).registerForget,
  status: async () => (await import('./commands/status.js')).registerStatus,
  ping: async () => (await import('./commands/ping.js')).registerPing,
  check: async () => (await import('./commands/check.js')).registerCheck,
  trace: async () => (await import('./commands/trace.js')).registerTrace,
  events: async () => (await import('./commands/events.js')).registerEvents,
  wait: async () => (await import('./commands/wait.js')).registerWait,
  report: async () => (await import('./commands/report.js')).registerReport,
  attach: async () => (await import('./commands/attach.js')).registerAttach,
  detach: async () => (await import('./commands/detach.js')).registerDetach,
  ps: async () => (await import('./commands/ps.js')).registerPs,
  expose: async () => (await import('./commands/expose.js')).registerExpose,
  hide: async () => (await import('./commands/hide.js')).registerHide,
  prime: async () => (await import('./commands/prime.js')).registerPrime,
  docker: async () => (await import('./commands/docker.js')).registerDocker,
  cni: async () => (await import('./commands/cni.js')).registerCni,
  kubernetes: async () => (await import('./commands/kubernetes.js')).registerKubernetes,
  network: async () => (await import('./commands/network.js')).registerNetwork,
  policy: async () => (await import('./commands/policy.js')).registerPolicy,
  rmpeer: async () => (await import('./commands/rmpeer.js')).registerRmpeer,
  peer: async () => (await import('./commands/peer.js')).registerPeer,
  'dns-add': async () => (await import('./commands/dns-add.js')).registerDnsAdd,
  'dns-remove': async () => (await import('./commands/dns-remove.js')).registerDnsRemove,
  'dns-lookup': async () => (await import('./commands/dns-lookup.js')).registerDnsLookup,
  token: async () => (await import('./commands/token.js')).registerToken,
  stop: async () => (await import('./commands/stop.js')).registerStop,
  upgrade: async () => (await import('./commands/upgrade.js')).registerUpgrade,
  'restart-forwarder': async () => (await import('./commands/restart-forwarder.js')).registerRestartForwarder,
  reset: async () => (await import('./commands/reset.js')).registerReset,
  version: async () => (await import('./commands/version.js')).registerVersion,
  doctor: async () => (await import('./commands/doctor.js')).registerDoctor,
};

const EXAMPLES = `
Two hosts, one Ethernet:
  host-a$ weft launch                         prints the line that joins other hosts
  host-b$ weft launch --token weft1…          that line
  host-a$ weft attach web                     a container, a network namespace, or a process id
  host-b$ weft attach db                      they now reach each other, as web.weft.local and db.weft.local

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no router is running.
\`weft COMMAND --help\` tells more. \`weft doctor\` finds out why something does not work.`;

async function main(args: readonly string[]): Promise<void> {
  let help = '';
  const program = new Command('weft')
    .description(
      'A userspace overlay router: every container on every host on one encrypted Ethernet segment.',
    )
    .usage('COMMAND [option…]')
    .version(weftVersion(), '--version', 'show the version of this command')
    .helpCommand(true)
    .exitOverride()
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .configureOutput({
      writeOut: (text) => {
        help += text;
      },
      outputError: (text, writeErr) => writeErr(text.replace(/^error: /, 'weft: ')),
    })
    .showSuggestionAfterError()
    .addHelpText('after', EXAMPLES);
  const named = COMMANDS[args[0] ?? ''];
  const registers = await Promise.all(
    (named === undefined ? Object.values(COMMANDS) : [named]).map((load) => load()),
  );
  for (const register of registers) register(program);
  if (args.length === 0) program.outputHelp();
  else await obey(program, args);
  await write(help);
}

/** Commander has printed what it has to say about a wrong command line, or has gathered its help. */
async function obey(program: Command, args: readonly string[]): Promise<void> {
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  }
}

watchStreams();
await main(process.argv.slice(2)).catch(fail);
