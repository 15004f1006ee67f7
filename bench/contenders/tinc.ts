import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Running, run, until } from '../../test/lab/index.js';
import { type Contender, daemonConnection, needs } from '../contender.js';
import { versionOf } from '../programs.js';
import { bridgeContainer, hasDevice, type Side } from '../topology.js';

/** Leaves room for tinc's cipher, digest and padding, so that it never fragments. */
const MTU = 1400;
const DEVICE = 'tinc0';

async function configure(program: string, { host, wireAddress }: Side, connectTo?: Side): Promise<void> {
  const lines = [`Name = ${host.name}`, 'Mode = switch', 'DeviceType = tap', `Interface = ${DEVICE}`];
  if (connectTo) lines.push(`ConnectTo = ${connectTo.host.name}`);
  await mkdir(join(host.directory, 'hosts'));
  await writeFile(join(host.directory, 'tinc.conf'), lines.join('\n'));
  await writeFile(join(host.directory, 'hosts', host.name), `Address = ${wireAddress}\n`);
  // Without a terminal it asks nothing, appends the public key to hosts/<name> and writes rsa_key.priv.
  await run([program, '--config', host.directory, '--generate-keys=2048']);
}

async function introduce(from: Side, to: Side): Promise<void> {
  const file = join('hosts', from.host.name);
  await copyFile(join(from.host.directory, file), join(to.host.directory, file));
}

async function startSide(program: string, side: Side): Promise<Running> {
  const { host } = side;
  const pidFile = `--pidfile=${join(host.directory, 'pid')}`;
  const daemon = host.start([program, '--config', host.directory, '--no-detach', pidFile]);
  await until(`tinc on ${host.name}`, () => hasDevice(host, DEVICE));
  await bridgeContainer(side, DEVICE, MTU);
  return daemon;
}

/** tinc 1.0 as an Ethernet switch on a bridge, with its default cipher and digest. */
export const tinc = (program: string): Contender => ({
  name: 'tinc',
  kind: 'peer',
  encrypted: true,
  setup: `switch mode on a bridge, container to container, default cipher, MTU ${MTU}`,
  unavailable: needs(program),
  version: () => versionOf([program, '--version']),
  start: async (topology) => {
    const { a, b } = topology;
    await Promise.all([configure(program, a), configure(program, b, a)]);
    await Promise.all([introduce(a, b), introduce(b, a)]);
    return daemonConnection(topology, 'container', await startSide(program, a), await startSide(program, b));
  },
});
