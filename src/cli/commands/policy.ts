import type { Command } from 'commander';
import type { PolicyAnswer, PolicyDenials, PolicyList } from '../../api/index.js';
import { ask } from '../client.js';
import { type CommonOptions, collect, type QuietOption, withCommonOptions, withQuiet } from '../options.js';
import { denialsTable, policiesTable } from '../tables/policies.js';
import { print, printList } from '../terminal/index.js';

const HELP = `
A policy is a NetworkPolicy as Kubernetes has it: which containers, by their labels, may be spoken to by whom, or may speak
to whom, at which ports. A container that no policy selects for a direction is open in it; one that any selects may do what
some policy allows, and nothing else. Replies always pass. Policies hold on all hosts, applied on any of them.

Containers are in the namespace that their label io.kubernetes.pod.namespace names, else in "default".

Examples:
  weft policy apply -f policies/              all files of the directory that end in .yaml, .yml or .json
  weft policy ls
  weft policy explain web db 5432             may web speak to db at TCP port 5432, and which rule decides?
  weft policy explain shop/web 192.0.2.1 53/UDP
  weft policy denied                          what this host denied lately, and which policies are the reason
  weft policy rm deny-all                     or NAMESPACE/NAME

docs/policy.md has recipes.`;

/** `weft policy` */
export function registerPolicy(program: Command): void {
  const policy = program
    .command('policy')
    .summary('say which containers may speak to each other')
    .description('Applies, lists, removes and explains network policies.')
    .addHelpText('after', HELP);
  withCommonOptions(
    policy
      .command('apply')
      .description('Applies policies on all hosts: new ones, and others in place of those of the same name.')
      .requiredOption(
        '-f, --file <path>',
        'a file of YAML or JSON, a directory, or - for stdin; repeatable',
        collect,
      )
      .action(apply),
  );
  const ls = policy.command('ls').description('Lists the policies.').action(list);
  withCommonOptions(withQuiet(ls, 'their names, as NAMESPACE/NAME'));
  withCommonOptions(
    policy
      .command('denied')
      .description(
        'Lists what this host has denied in the last ten minutes, and which policies are the reason.',
      )
      .action(denied),
  );
  withCommonOptions(
    policy
      .command('rm')
      .description('Removes policies from all hosts.')
      .argument('<policy...>', 'NAME, or NAMESPACE/NAME')
      .action(remove),
  );
  withCommonOptions(
    policy
      .command('explain')
      .description('Tells whether one may begin to speak to another, and which rules decide.')
      .argument('<from>', 'name of a container, NAMESPACE/NAME, or an address')
      .argument('<to>', 'as the first')
      .argument('<port>', 'PORT, or PORT/PROTOCOL with TCP, UDP or SCTP')
      .action(explain),
  );
}

async function apply(options: CommonOptions & { file: string[] }): Promise<void> {
  const { readDocuments } = await import('../policy/index.js'); // the help of all commands must not pay for YAML
  const documents = await readDocuments(options.file);
  const applied = await ask<PolicyList>(options.runDir, 'POST', '/policies', { documents });
  await print(options, applied, policiesTable);
}

async function list(options: CommonOptions & QuietOption): Promise<void> {
  const answer = await ask<PolicyList>(options.runDir, 'GET', '/policies');
  const names = () => answer.policies.map(({ namespace, name }) => `${namespace}/${name}`);
  await printList(options, answer, policiesTable, names);
}

async function denied(options: CommonOptions): Promise<void> {
  await print(options, await ask<PolicyDenials>(options.runDir, 'GET', '/policies/denials'), denialsTable);
}

async function remove(names: string[], options: CommonOptions): Promise<void> {
  const left = await ask<PolicyList>(options.runDir, 'DELETE', '/policies', { names });
  await print(options, left, () => `removed: ${names.join(' ')}`);
}

async function explain(
  source: string,
  destination: string,
  port: string,
  options: CommonOptions,
): Promise<void> {
  const { parseSocket } = await import('../policy/index.js');
  const query = new URLSearchParams({ source, destination, ...parseSocket(port) });
  const answer = await ask<PolicyAnswer>(options.runDir, 'GET', `/policies/explanation?${query}`);
  await print(options, answer, ({ allowed, source: from, destination: to, reasons }) =>
    [
      `${from} -> ${to} ${port}: ${allowed ? 'allowed' : 'denied'}`,
      ...reasons.map((each) => `  ${each}`),
    ].join('\n'),
  );
}
