/** The plugin's program and the network's configuration, where container runtimes look for them. */

import { access, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import type { CniInstallation } from '../../api/index.js';
import { messageOf, systemCode, WeftError } from '../../errors.js';

/** Name of the program, and `type` of the plugin in configurations. */
export const PROGRAM = 'weft-cni';
const DEFAULT_RUN_DIR = '/run/weft';
/** The newest that all runtimes and plugins of today's distributions know. */
const VERSION = '1.0.0';

/** Plugins that work on what weft made, where they are installed. */
const CHAINED: readonly { readonly type: string; readonly [key: string]: unknown }[] = [
  { type: 'portmap', snat: true, capabilities: { portMappings: true } },
  { type: 'bandwidth', capabilities: { bandwidth: true } },
];

/** The files of an installation: the configuration comes last, since runtimes begin with it. */
export function filesOf({ binDir, confDir, name }: CniInstallation) {
  return { program: join(binDir, PROGRAM), configuration: join(confDir, `10-${name}.conflist`) };
}

export interface PutOptions {
  /** Path of the program. */
  readonly source: string;
  readonly runDir: string;
  /** Else a configuration that is there stays as it is: somebody may have changed it. */
  readonly isNew: boolean;
}

/**
 * Puts both where they belong, by rename: a runtime meets the former or the new one, whole. Rejects with `cni-not-installed`, also where
 * another plugin's configuration has that name.
 */
export async function putFiles(
  installation: CniInstallation,
  { source, runDir, isNew }: PutOptions,
): Promise<void> {
  const { program, configuration } = filesOf(installation);
  try {
    await refuseForeign(configuration);
    for (const directory of [installation.binDir, installation.confDir]) {
      await mkdir(directory, { recursive: true });
    }
    await writeFileAtomic(program, await readFile(source), { mode: 0o755 });
    if (!isNew && (await isThere(configuration))) return;
    const text = `${JSON.stringify(await configurationOf(installation, runDir), undefined, 2)}\n`;
    await writeFileAtomic(configuration, text, { mode: 0o644 });
  } catch (error) {
    if (error instanceof WeftError) throw error;
    throw new WeftError('cni-not-installed', `the CNI plugin is not installed: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** The configuration goes first: runtimes use the network no more. What is `kept` as well stays. */
export async function removeFiles(installation: CniInstallation, kept?: CniInstallation): Promise<void> {
  const { program, configuration } = filesOf(installation);
  const staying = kept === undefined ? [] : Object.values(filesOf(kept));
  for (const path of [configuration, program]) if (!staying.includes(path)) await rm(path, { force: true });
}

export async function areThere(installation: CniInstallation): Promise<boolean> {
  const found = Object.values(filesOf(installation)).map((path) => isThere(path));
  return (await Promise.all(found)).every(Boolean);
}

async function configurationOf({ binDir, name, network }: CniInstallation, runDir: string): Promise<object> {
  const weft = {
    type: PROGRAM,
    network,
    isDefaultGateway: true,
    ...(runDir !== DEFAULT_RUN_DIR && { runDir }),
    capabilities: { ips: true, mac: true, aliases: true, dns: true },
  };
  const found = await Promise.all(CHAINED.map(({ type }) => isThere(join(binDir, type))));
  const chained = CHAINED.filter((_, index) => found[index]);
  return { cniVersion: VERSION, name, plugins: [weft, ...chained] };
}

async function refuseForeign(path: string): Promise<void> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined || text.includes(`"${PROGRAM}"`)) return;
  throw new WeftError(
    'cni-not-installed',
    `${path} is the configuration of another plugin: choose another --name, or remove it`,
  );
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
