/** The programs of others that are compared, and which version of them. */
import { resolve } from 'node:path';
import { attempt } from '../test/lab/index.js';

/** Names that are looked up in PATH, or paths. */
export interface Programs {
  readonly wireguardGo: string;
  readonly fastd: string;
  readonly tinc: string;
  readonly nebula: string;
}

/** Those that the distribution has. */
export const PACKAGED: Programs = {
  wireguardGo: 'wireguard-go',
  fastd: 'fastd',
  tinc: 'tincd',
  nebula: 'nebula',
};

/** What a user named instead: a path counts from the working directory, a bare name from PATH. */
export function choosePrograms(named: Partial<Programs>): Programs {
  const { wireguardGo, fastd, tinc, nebula } = { ...PACKAGED, ...named };
  return {
    wireguardGo: located(wireguardGo),
    fastd: located(fastd),
    tinc: located(tinc),
    nebula: located(nebula),
  };
}

const located = (program: string) => (program.includes('/') ? resolve(program) : program);

/** What a command says of its version; undefined if it cannot be run or says nothing of the kind. */
export async function versionOf(command: readonly string[]): Promise<string | undefined> {
  const result = await attempt(command).catch(() => undefined);
  return findVersion(`${result?.stdout ?? ''}\n${result?.stderr ?? ''}`);
}

/** The first thing in a text that looks like a version, or like a commit. */
export function findVersion(text: string): string | undefined {
  return /v?\d+\.\d[\w.-]*|v\d+|\b[0-9a-f]{7,}(-dirty)?/.exec(text)?.[0];
}
