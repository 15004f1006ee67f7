import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Running, run, until } from '../../test/lab/index.js';
import { type Contender, daemonConnection, needs } from '../contender.js';
import { hasDevice, type Side } from '../topology.js';

/** 1500 less 28 of IPv4 and UDP, 16 of header and 16 of tag. */
const MTU = 1440;
const PORT = 4242;
const DEVICE = 'nebula0';

interface Authority {
  readonly certificate: string;
  readonly key: string;
}

async function makeAuthority(directory: string): Promise<Authority> {
  const authority = { certificate: join(directory, 'ca.crt'), key: join(directory, 'ca.key') };
  const out = ['-out-crt', authority.certificate, '-out-key', authority.key];
  await run(['nebula-cert', 'ca', '-name', 'bench', ...out]);
  return authority;
}

async function startSide(side: Side, remote: Side, authority: Authority): Promise<Running> {
  const { host, wireAddress, overlayAddress } = side;
  const own: Authority = {
    certificate: join(host.directory, 'host.crt'),
    key: join(host.directory, 'host.key'),
  };
  const signer = ['-ca-crt', authority.certificate, '-ca-key', authority.key];
  const subject = ['-name', host.name, '-ip', `${overlayAddress}/24`];
  const out = ['-out-crt', own.certificate, '-out-key', own.key];
  await run(['nebula-cert', 'sign', ...signer, ...subject, ...out]);
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
  const daemon = host.start(['nebula', '-config', file]);
  await until(`nebula on ${host.name}`, () => hasDevice(host, DEVICE));
  return daemon;
}

/** nebula: L3, so it is measured between the hosts, through its TUN device. */
export const nebula: Contender = {
  name: 'nebula',
  encrypted: true,
  packaged: true,
  setup: `L3 between the hosts (no bridge), AES-256-GCM, MTU ${MTU}`,
  unavailable: needs('nebula', 'nebula-cert'),
  start: async (topology) => {
    const { a, b } = topology;
    const authority = await makeAuthority(a.host.directory);
    const daemonA = await startSide(a, b, authority);
    const daemonB = await startSide(b, a, authority);
    return daemonConnection(topology, 'host', daemonA, daemonB);
  },
};
