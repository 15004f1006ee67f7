/** What the figures were taken on. */
import { readFile } from 'node:fs/promises';
import { cpus, release, totalmem } from 'node:os';
import { versionOf } from './programs.js';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** Instruction sets that decide how fast a cipher can be. */
  readonly cryptoFlags: readonly string[];
  readonly memoryGb: number;
  readonly kernel: string;
  readonly distribution: string;
  /** Versions of what was measured with. */
  readonly versions: Readonly<Record<string, string>>;
}

const CRYPTO_FLAGS = ['aes', 'pclmulqdq', 'avx2', 'avx512f', 'vaes', 'vpclmulqdq'];

const VERSION_COMMANDS: Readonly<Record<string, readonly string[]>> = {
  iperf3: ['iperf3', '--version'],
  iproute2: ['ip', '-V'],
};

export async function describeMachine(): Promise<Machine> {
  const cpuInfo = await readFile('/proc/cpuinfo', 'utf8');
  const flags = /^flags\s*:(.*)$/m.exec(cpuInfo)?.[1]?.split(' ') ?? [];
  const osRelease = await readFile('/etc/os-release', 'utf8');
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    cryptoFlags: CRYPTO_FLAGS.filter((flag) => flags.includes(flag)),
    memoryGb: Math.round(totalmem() / 1e9),
    kernel: release(),
    distribution: /^PRETTY_NAME="(.*)"$/m.exec(osRelease)?.[1] ?? 'unknown',
    versions: { node: process.version, ...(await collectVersions()) },
  };
}

/** One line on the machine, for headers. */
export function machineLine({ cpu, cores, cryptoFlags, memoryGb, kernel, distribution }: Machine): string {
  return `${cores} x ${cpu} (${cryptoFlags.join(' ')}), ${memoryGb} GB, Linux ${kernel}, ${distribution}`;
}

async function collectVersions(): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [name, command] of Object.entries(VERSION_COMMANDS)) {
    const version = await versionOf(command);
    if (version) found[name] = version;
  }
  return found;
}
