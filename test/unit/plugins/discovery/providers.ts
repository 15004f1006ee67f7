/** The real things that sources ask, as tests need them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { dnsSource, execSource, fileSource } from '../../../../src/plugins/discovery/sources/index.js';
import type { Implementation } from './compliance.js';

const hostOf = (target: string) => target.split(':')[0] ?? '';

/** Ends a process and waits until it is gone. */
export async function ended(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

export const FILE: Implementation = {
  kind: 'file',
  make: async (directory, context) => {
    const path = join(directory, 'targets');
    return {
      source: fileSource(`file:${path}`, path, context),
      name: (targets) => writeFile(path, targets.join('\n')),
      break: () => rename(path, `${path}.away`),
      mend: () => rename(`${path}.away`, path),
    };
  },
};

/** As Kubernetes mounts a ConfigMap: the file is a link into `..data`, which is a link that is exchanged. */
export const CONFIG_MAP: Implementation = {
  kind: 'file, in a ConfigMap',
  make: async (directory, context) => {
    let version = 0;
    await symlink('..data/targets', join(directory, 'targets'));
    return {
      source: fileSource('file:configmap', join(directory, 'targets'), context),
      name: async (targets) => {
        version += 1;
        await mkdir(join(directory, `..${version}`));
        await writeFile(join(directory, `..${version}`, 'targets'), targets.join('\n'));
        await symlink(`..${version}`, join(directory, '..data_tmp'));
        await rename(join(directory, '..data_tmp'), join(directory, '..data'));
        await rm(join(directory, `..${version - 1}`), { recursive: true, force: true });
      },
      break: () => rename(join(directory, '..data'), join(directory, '..away')),
      mend: () => rename(join(directory, '..away'), join(directory, '..data')),
    };
  },
};

export const EXEC: Implementation = {
  kind: 'exec',
  make: async (directory, context) => {
    const program = join(directory, 'program');
    const write = async (script: string) => {
      await writeFile(`${program}.new`, `#!/bin/sh\n${script}\n`);
      await chmod(`${program}.new`, 0o755);
      await rename(`${program}.new`, program);
    };
    let script = '';
    return {
      source: execSource(`exec:${program}`, program, context),
      name: (targets) => {
        script = `cat <<END\n${targets.join('\n')}\nEND`;
        return write(script);
      },
      break: () => write('echo the cloud is away >&2; exit 3'),
      mend: () => write(script),
    };
  },
};

let servers = 0;

/** An address that no other server of names has. */
function nextServer(): string {
  servers += 1;
  return `127.${(process.pid >> 8) & 0x7f}.${process.pid & 0xff}.${servers}`;
}

/** A name server of its own, with this configuration. */
async function startDnsmasq(address: string, records: readonly string[]): Promise<ChildProcess> {
  const options = [
    '--keep-in-foreground',
    '--conf-file=/dev/null',
    '--no-resolv',
    '--no-hosts',
    '--bind-interfaces',
  ];
  const child = spawn('dnsmasq', [
    ...options,
    `--listen-address=${address}`,
    '--local=/test/',
    '--log-facility=-',
    '--user=root',
    '--pid-file=',
    ...records,
  ]);
  for await (const line of child.stderr) if (String(line).includes('started')) break;
  child.stderr.resume();
  return child;
}

async function dnsProvider(
  directory: string,
  recordsOf: (targets: readonly string[]) => string[],
  make: (resolvConf: string) => ReturnType<typeof dnsSource>,
) {
  const address = nextServer();
  const resolvConf = join(directory, 'resolv.conf');
  await writeFile(resolvConf, `nameserver ${address}\n`);
  let records: string[] = [];
  let server: ChildProcess | undefined;
  const stop = async () => {
    if (server !== undefined) await ended(server);
  };
  const start = async () => {
    server = await startDnsmasq(address, records);
  };
  return {
    source: make(resolvConf),
    name: async (targets: readonly string[]) => {
      records = recordsOf(targets);
      await stop();
      await start();
    },
    break: stop,
    mend: start,
    end: stop,
  };
}

export const DNS: Implementation = {
  kind: 'dns',
  make: (directory, context) =>
    dnsProvider(
      directory,
      (targets) => targets.map((target) => `--host-record=routers.test,${hostOf(target)}`),
      (resolvConf) => dnsSource('dns:routers.test', 'routers.test', 6783, { ...context, resolvConf }),
    ),
};

export const SRV: Implementation = {
  kind: 'dns, of a service',
  make: (directory, context) =>
    dnsProvider(
      directory,
      (targets) => targets.map((target) => `--srv-host=_weft._tcp.test,${target.replace(':', ',')}`),
      (resolvConf) => dnsSource('dns:_weft._tcp.test', '_weft._tcp.test', 0, { ...context, resolvConf }),
    ),
};
