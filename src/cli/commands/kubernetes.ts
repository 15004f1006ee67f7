import type { Command } from 'commander';
import type { KubernetesStatus } from '../../api/index.js';
import { ask } from '../client.js';
import { type CommonOptions, withCommonOptions } from '../options.js';
import { kubernetesText } from '../tables/kubernetes.js';
import { print } from '../terminal/index.js';

const HELP = `
\`weft launch --kubernetes\`, in a pod of each node, has the cluster's API server say which nodes there are and who may speak to
whom (NetworkPolicy), and takes over the addresses of nodes that are removed: docs/kubernetes.md.`;

/** `weft kubernetes` */
export function registerKubernetes(program: Command): void {
  const kubernetes = program
    .command('kubernetes')
    .summary('see what the API server of Kubernetes says')
    .description('Shows what this router knows of the Kubernetes cluster that it is part of.')
    .addHelpText('after', HELP);
  withCommonOptions(
    kubernetes
      .command('status')
      .description('Shows whether the API server answers, and what it said.')
      .action(status),
  );
}

async function status(options: CommonOptions): Promise<void> {
  await print(options, await ask<KubernetesStatus>(options.runDir, 'GET', '/kubernetes'), kubernetesText);
}
