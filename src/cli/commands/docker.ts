import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { DockerStatus, Status } from '../../api/index.js';
import { shortId } from '../../text/index.js';
import { ask } from '../client.js';
import { DNS_SERVER, DOCKER_CONFIG, dnsConfig, writeDns } from '../docker-config.js';
import { usageError } from '../errors.js';
import { type CommonOptions, withCommonOptions } from '../options.js';
import { dockerText } from '../tables/docker.js';
import { print, showProgress } from '../terminal/index.js';

/** How long Docker is given to make its network, in milliseconds. */
const PATIENCE = 10_000;
const POLL = 200;

const HELP = `
Docker then has a network "weft", the one of \`weft attach\`, on every host where this was done: containers on it reach each
other whatever host they run on. It has the addresses of weft, and no two containers are given the same one. The way out and
published ports (-p) are Docker's own, as before.

More networks are made on each host, with the same name and subnet:
  docker network create -d weft --ipam-driver weft --subnet 10.40.0.0/16 blue
  docker network create -d weft --ipam-driver weft --subnet 10.40.0.0/16 -o weft.network=blue other-name
With Compose:
  networks: { default: { name: blue, driver: weft, ipam: { driver: weft, config: [{ subnet: 10.40.0.0/16 }] } } }

Containers find each other's names on all hosts with
  docker run --network weft --dns ${DNS_SERVER} --dns-search weft.local …
or, for all containers of a host that are on weft, with what \`weft docker enable --dns\` prints.

Examples:
  weft docker enable
  docker run -d --name web --network weft nginx
  weft docker status
  weft docker enable --dns --write      puts the DNS server into ${DOCKER_CONFIG}
  weft docker disable                   once no containers are on its networks`;

/** `weft docker` */
export function registerDocker(program: Command): void {
  const docker = program
    .command('docker')
    .summary('be a network plugin of Docker')
    .description(
      'Makes this router a network plugin of Docker: `docker run --network weft`. This lasts over restarts.',
    )
    .addHelpText('after', HELP);
  withCommonOptions(
    docker
      .command('enable')
      .description('Serves Docker from now on, and waits until its network "weft" is there.')
      .option('--dns', `print what makes all containers use weft's names, for ${DOCKER_CONFIG}`)
      .option('--write', 'with --dns: put it into that file')
      .action(enable),
  );
  withCommonOptions(
    docker
      .command('disable')
      .description(
        'Removes the network "weft" and serves Docker no more. No container may be on a network of weft.',
      )
      .action(disable),
  );
  withCommonOptions(
    docker.command('status').description('Shows the plugin, and what Docker has of weft.').action(status),
  );
}

type EnableOptions = CommonOptions & { dns?: boolean; write?: boolean };

async function enable({ dns = false, write = false, ...options }: EnableOptions): Promise<void> {
  if (write && !dns) throw usageError('give --write with --dns only');
  const { dns: domain } = await ask<Status>(options.runDir, 'GET', '/status');
  if (dns && domain === null) {
    throw usageError('this router serves no names: launch it with --dns, or leave --dns out here');
  }
  await ask<DockerStatus>(options.runDir, 'PUT', '/docker', { enabled: true });
  const found = await made(options);
  if (write) await writeDns(domain ?? '');
  const config = dns ? dnsConfig(domain ?? '') : undefined;
  const answer = config === undefined ? found : { ...found, config };
  await print(options, answer, () => enabledText(found, domain) + dnsText(config, write));
}

/** As soon as Docker has made the network, or it is clear that it will not soon. */
async function made({ runDir }: CommonOptions): Promise<DockerStatus> {
  const progress = showProgress('waiting for Docker');
  try {
    for (let waited = 0; ; waited += POLL) {
      const found = await ask<DockerStatus>(runDir, 'GET', '/docker');
      const mayBe = found.engine.reachable && found.faults.length === 0;
      if (found.ready || !mayBe || waited >= PATIENCE) return found;
      await delay(POLL);
    }
  } finally {
    progress.stop();
  }
}

async function disable(options: CommonOptions): Promise<void> {
  const left = await ask<DockerStatus>(options.runDir, 'PUT', '/docker', { enabled: false });
  await print(options, left, ({ networks }) => {
    const names = networks.map(({ id, name }) => name ?? shortId(id)).join(', ');
    const note = names === '' ? '' : `; it still has ${names}, which work again once weft is enabled`;
    return `Docker is served no more${note}`;
  });
}

async function status(options: CommonOptions): Promise<void> {
  await print(options, await ask<DockerStatus>(options.runDir, 'GET', '/docker'), dockerText);
}

function enabledText({ ready, socket, engine, faults }: DockerStatus, domain: string | null): string {
  if (faults.length > 0) return faults.join('\n');
  if (!ready) {
    const why = engine.reachable ? 'has not made it yet' : `does not answer at ${engine.socket}`;
    return `Docker finds weft at ${socket}; its network "weft" is made as soon as that is possible: Docker ${why}`;
  }
  const names = domain === null ? '' : ` --dns ${DNS_SERVER} --dns-search ${domain}`;
  return `Docker has a network "weft". Do the same on other hosts; then containers reach each other:

    host-a$ docker run -d --name web --network weft nginx
    host-b$ docker run --rm --network weft${names} busybox wget -qO- web`;
}

function dnsText(config: ReturnType<typeof dnsConfig> | undefined, written: boolean): string {
  if (config === undefined) return '';
  const note = 'Containers that are on no network of weft do not reach that server.';
  if (written) return `\n\n${DOCKER_CONFIG} names the DNS server of weft; restart dockerd. ${note}`;
  const lines = JSON.stringify(config, undefined, 2);
  return `\n\nTo have it for all containers, add this to ${DOCKER_CONFIG} (--write does) and restart dockerd. ${note}\n\n${lines}`;
}
