import type { Command } from 'commander';
import type { Version } from '../../api/index.js';
import { WeftError } from '../../errors.js';
import { weftVersion } from '../../version.js';
import { askAnyVersion } from '../client.js';
import { type CommonOptions, withCommonOptions } from '../options.js';
import { orDash, pairs, print } from '../terminal/index.js';

/** `weft version` */
export function registerVersion(program: Command): void {
  const command = program
    .command('version')
    .summary('versions of the command and of the running router')
    .description('Shows the version of this command and, if one runs, of the router.')
    .action(version);
  withCommonOptions(command);
}

async function version(options: CommonOptions): Promise<void> {
  const router = await askAnyVersion<Version>(options.runDir, 'GET', '/version').catch((error: unknown) => {
    if (error instanceof WeftError && error.code === 'not-running') return null;
    throw error;
  });
  await print(options, { version: weftVersion(), router }, (found) =>
    pairs([
      ['weft', found.version],
      ['router', orDash(found.router?.version)],
      ['forwarder', orDash(found.router?.forwarder)],
      ['protocols', describeProtocols(found.router?.protocols)],
      ['node', found.router?.node ?? process.version],
    ]),
  );
}

/** A router of before there were versions tells none. */
function describeProtocols(protocols: Version['protocols'] | undefined): string {
  if (protocols === undefined) return '-';
  const { api, link, forwarder } = protocols;
  return `API ${api}, links ${link}, forwarder ${forwarder}`;
}
