import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { until } from '../lab/index.js';
import { onLab } from '../lab/suite.js';
import { withoutEngine } from './suite.js';
import { dockerHosts, IMAGE, leftOf, reaches } from './world.js';

/** Two hosts, each with a Docker engine and a router. */
const world = onLab(async (lab) => {
  const [a, b] = await dockerHosts(lab, 2);
  if (a === undefined || b === undefined) throw new Error('there are two hosts');
  return { a, b };
});

const both = () => [world().a, world().b];

afterEach(async () => {
  for (const host of both()) {
    await host.engine.clear();
    await until('nothing of it is left', async () => (await leftOf(host)).length === 0);
  }
});

/** Two hosts' services find each other whatever is called how. */
const COMPOSE = `
version: "2.4"
services:
  web:
    image: ${IMAGE}
    scale: 2
  db:
    image: ${IMAGE}
    networks:
      default:
        aliases: [store]
networks:
  default:
    driver: weft
    ipam:
      driver: weft
      config:
        - subnet: 10.47.0.0/16
`;

describe.skipIf(withoutEngine)('a container on a weft network', () => {
  test('is found by its name, its aliases and its host name, and by none of them once it ended', async () => {
    const { a, b } = world();
    await b.engine.runOn('weft', 'far');
    await a.engine.docker(
      'network',
      'create',
      '--driver',
      'weft',
      '--ipam-driver',
      'weft',
      '-o',
      'weft.network=default',
      'shared',
    );
    await a.engine.runOn('shared', 'web', '--network-alias', 'site', '--hostname', 'www');
    for (const name of ['web', 'site', 'www']) await reaches(b.engine, 'far', `${name}.weft.local`);
    await a.engine.docker('kill', 'web');
    await until('nobody has its names', async () => {
      const { dns } = await b.host.report();
      return dns.names.every(({ container }) => container !== 'web' && !/^(web|site|www)\./.test(container));
    });
    expect(
      (await b.engine.try('exec', 'far', 'nslookup', 'web.weft.local', '169.254.53.53')).stdout,
    ).not.toMatch(/10\.32/);
    await a.engine.docker('rm', 'web');
    await a.engine.docker('network', 'rm', 'shared');
  });

  test('follows a rename', async () => {
    const { a, b } = world();
    await b.engine.runOn('weft', 'far');
    await a.engine.runOn('weft', 'old');
    await reaches(b.engine, 'far', 'old.weft.local');
    await a.engine.docker('rename', 'old', 'new');
    await reaches(b.engine, 'far', 'new.weft.local');
  });

  test('of docker-compose finds the services of another host by name', async () => {
    const { a, b } = world();
    for (const { host, engine } of both()) {
      const directory = join(host.directory, 'shop');
      mkdirSync(directory, { recursive: true });
      writeFileSync(join(directory, 'docker-compose.yml'), COMPOSE);
      await engine.compose(directory, 'up', '--detach');
    }
    const { names } = (await a.host.report()).dns;
    const ofService = (name: string) => names.filter((entry) => entry.name === `${name}.weft.local`);
    for (const name of ['web', 'web.shop', 'db', 'db.shop', 'store']) {
      expect(new Set(ofService(name).map(({ nickname }) => nickname)).size, name).toBe(2);
    }
    await reaches(b.engine, 'shop_db_1', 'web.shop.weft.local');
    for (const { host, engine } of both()) await engine.compose(join(host.directory, 'shop'), 'down');
  });
});
