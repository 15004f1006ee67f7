import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Running, run, until } from '../../test/lab/index.js';
import { type Contender, daemonConnection, needs } from '../contender.js';
import { versionOf } from '../programs.js';
import { hasDevice, type Side } from '../topology.js';

/** 1500 less 28 of IPv4 and UDP, 16 of header and 16 of tag. */
const MTU = 1440;
const PORT = 4242;
const DEVICE = 'nebula0';

/** Of the same release: it stands beside the program. */
const certifier = (program: string) =>
  program.includes('/') ? join(dirname(program), 'nebula-cert') : 'nebula-cert';

interface Authority {
  readonly certificate: string;
  readonly key: string;
}

async function makeAuthority(tool: string, directory: string): Promise<Authority> {
  const authority = { certificate: join(directory, 'ca.crt'), key: join(directory, 'ca.key') };
  const out = ['-out-crt', authority.certificate, '-out-key', authority.key];
  await run([tool, 'ca', '-name', 'bench', ...out]);
  return authority;
}

async function startSide(program: string, side: Side, remote: Side, authority: Authority): Promise<Running> {
  const { host, wireAddress, overlayAddress } = side;
  const own: Authority = {
    certificate: join(host.directory, 'host.crt'),
    key: join(host.directory, 'host.key'),
  };
  const tool = certifier(program);
  const signer = ['-ca-crt', authority.certificate, '-ca-key', authority.key];
  const subject = ['-name', host.name, '-ip', `${overlayAddress}/24`];
  const out = ['-out-crt', own.certificate, '-out-key', own.key];
  await run([tool, 'sign', ...signer, ...subject, ...out]);
  const everything = [{ port: 'any', proto: 'any', host: 'any' }];
  const config = {
    pki: { ca: authority.certificate, cert: own.certificate, key: own.key },
    static_host_map: { [remote.overlayAddress]: [`${remote.wireAddress}:${PORT}`] },
    lighthouse: { am_lighthouse: false },
    listen: { host: wireAddress, port: PORT },
    cipher: 'aes',
    tun: { dev: DEVICE, mtu: MTU },
    logging: { level: 'warning' },
    firewall: { outbound: everything, inbound: everything },
  };
  const file = join(host.directory, 'config.yml');
  await writeFile(file, JSON.stringify(config)); // JSON is YAML
  const daemon = host.start([program, '-config', file]);
  await until(`nebula on ${host.name}`, () => hasDevice(host, DEVICE));
  return daemon;
}

/** nebula: L3, so it is measured between the hosts, through its TUN device. */
export const nebula = (program: string): Contender => ({
  name: 'nebula',
  kind: 'peer',
  encrypted: true,
  setup: `L3 between the hosts (no bridge), AES-256-GCM, MTU ${MTU}`,
  unavailable: needs(program, certifier(program)),
  version: () => versionOf([program, '-version']),
  start: async (topology) => {
    const { a, b } = topology;
    const authority = await makeAuthority(certifier(program), a.host.directory);
    const daemonA = await startSide(program, a, b, authority);
    const daemonB = await startSide(program, b, a, authority);
    return daemonConnection(topology, 'host', daemonA, daemonB);
  },
});
