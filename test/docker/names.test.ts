import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { until } from '../lab/index.js';
import { withoutEngine } from './suite.js';
import { IMAGE, onTwoDockers, reaches } from './world.js';

const world = onTwoDockers();

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
    await a.engine.network('shared', '-o', 'weft.network=default');
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

  test.runIf(process.env.WEFT_LONG === '1')(
    'of docker-compose finds the services of another host by name',
    async () => {
      const { a, b } = world();
      for (const { host, engine } of world().both) {
        const directory = join(host.directory, 'shop');
        mkdirSync(directory, { recursive: true });
        writeFileSync(join(directory, 'docker-compose.yml'), COMPOSE);
        await engine.compose(directory, 'up', '--detach');
      }
      await until('each name is that of containers on both hosts', async () => {
        const { names } = (await a.host.report()).dns;
        return ['web', 'web.shop', 'db', 'db.shop', 'store'].every((name) => {
          const entries = names.filter((entry) => entry.name === `${name}.weft.local`);
          return new Set(entries.map(({ nickname }) => nickname)).size === 2;
        });
      });
      await reaches(b.engine, 'shop_db_1', 'web.shop.weft.local');
      for (const { host, engine } of world().both) await engine.compose(join(host.directory, 'shop'), 'down');
    },
  );
});
