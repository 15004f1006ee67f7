import { isIP } from 'node:net';
import type { Command } from 'commander';
import type { NameRequest } from '../api/index.js';
import { usageError } from './errors.js';
import { type CommonOptions, withCommonOptions } from './options.js';

export interface NameOptions extends CommonOptions {
  readonly hostname?: string;
}

/** What `dns-add` and `dns-remove` take: addresses and a container in any order, and `-h` for the name. */
export function withNameArguments(command: Command): Command {
  command
    .argument(
      '<container|address...>',
      'a container of this host (or container:NAME, netns:NAME, pid:ID), addresses',
    )
    .option('-h, --hostname <name>', 'the name, with or without the domain (default: the container)');
  return withCommonOptions(command);
}

/** Sorts the arguments. Throws `usage`. */
export function nameRequest(args: readonly string[], { hostname }: NameOptions): NameRequest {
  const addresses = args.filter((text) => isIP(text) !== 0);
  const [container, ...others] = args.filter((text) => isIP(text) === 0);
  if (others.length > 0)
    throw usageError(`${others[0]} is no address, and there is a container already: ${container}`);
  if (container === undefined && hostname === undefined) throw usageError('addresses need a name: -h NAME');
  return {
    ...(container === undefined ? {} : { container }),
    ...(hostname === undefined ? {} : { name: hostname }),
    ...(addresses.length === 0 ? {} : { addresses }),
  };
}
