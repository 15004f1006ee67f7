import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Discovery, type SourceContext } from '../../../../src/plugins/discovery/index.js';
import { etcdSource } from '../../../../src/plugins/discovery/sources/index.js';
import { until } from '../../../lab/until.js';
import { contextOf } from './compliance.js';
import { EtcdServer, missing } from './etcd.js';

const PREFIX = '/weft/routers/';
const OURS = '192.0.2.250:6783';
const OTHER = '192.0.2.1:6783';
/** Two retries, and less than a router is heard of without a cause. */
const RETRIES = { within: 15_000 };

describe.skipIf(missing !== undefined)('a router with etcd', { timeout: 40_000 }, () => {
  let directory: string;
  let etcd: EtcdServer;
  let discovery: Discovery | undefined;
  let log: string[];
  let targets: readonly string[];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'weft-etcd-'));
    etcd = new EtcdServer(directory);
    await etcd.start();
    [log, targets] = [[], []];
  });

  afterEach(async () => {
    await discovery?.stop();
    await etcd.stop();
    await rm(directory, { recursive: true });
  });

  function follow(url = etcd.url, more: Partial<SourceContext> = {}): Discovery {
    discovery = new Discovery({
      sources: [etcdSource(new URL(PREFIX, url), contextOf(more))],
      onTargets: (found) => {
        targets = found;
      },
      onNotice: (text) => log.push(text),
      onTrouble: (text) => log.push(text),
    });
    discovery.start();
    return discovery;
  }

  const isRegistered = async () => (await etcd.values(PREFIX)).includes(OURS);
  const knows = (target: string) => until(`${target} is known`, () => targets.includes(target));

  test('tells others where it is, and takes that back when it stops', async () => {
    const router = follow();
    await until('it is registered', isRegistered);
    await knows(OURS);
    await router.stop();
    expect(await isRegistered()).toBe(false);
  });

  test('is there again and loses nothing when the store is wiped', async () => {
    await etcd.put(`${PREFIX}other`, OTHER);
    const router = follow();
    await knows(OTHER);
    await etcd.wipe();
    await until('it is registered again', isRegistered, RETRIES);
    expect(targets).toContain(OTHER);
    expect(router.sourcesOf(OTHER)).toHaveLength(1);
    expect(log.length).toBeLessThanOrEqual(2);
  });

  test('is there again when its lease is over', async () => {
    await etcd.put(`${PREFIX}other`, OTHER);
    follow();
    await knows(OTHER);
    await until('it is registered', isRegistered);
    const { leases = [] } = await etcd.call('lease/leases', {});
    for (const { ID } of leases) await etcd.call('lease/revoke', { ID });
    await until('it is registered again', isRegistered);
    expect(targets).toContain(OTHER);
  });

  test('lists anew when what it watches for was compacted, and says nothing', async () => {
    // Whatever happens between its list and its watch, a compaction too, happens here.
    let watches = 0;
    const between = async () => {
      watches += 1;
      if (watches > 1) return;
      await etcd.put(`${PREFIX}other`, OTHER);
      const revision = await etcd.put('/unrelated', '');
      await etcd.call('kv/compaction', { revision });
    };
    const proxy = createServer((question, answer) => {
      void (async () => {
        if (question.url === '/v3/watch') await between();
        const onward = request(`${etcd.url}${question.url}`, { method: 'POST' }, (reply) =>
          reply.pipe(answer),
        );
        onward.on('error', () => answer.destroy());
        answer.on('close', () => onward.destroy());
        question.pipe(onward);
      })();
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const address = proxy.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    follow(`http://127.0.0.1:${port}`);
    await knows(OTHER);
    expect(watches).toBeLessThanOrEqual(2);
    expect(log).toEqual([]);
    await discovery?.stop();
    proxy.close();
    proxy.closeAllConnections();
  });

  test('that may not read says so in one line, without its password', async () => {
    for (const name of ['root', 'guest']) {
      await etcd.call('auth/user/add', { name, password: 'hunter2' });
    }
    await etcd.call('auth/role/add', { name: 'root' });
    await etcd.call('auth/user/grant', { user: 'root', role: 'root' });
    await etcd.call('auth/enable', {});
    const credentials = etcd.url.replace('//', '//guest:hunter2@');
    const guest = follow(credentials);
    await until('it is refused', () => guest.status()[0]?.state === 'failing');
    expect(JSON.stringify([log, guest.status()])).toMatch(/answers 403: .*permission denied/);
    expect(JSON.stringify([log, guest.status()])).not.toMatch(/hunter2|guest/);
    await guest.stop();
    const root = follow(credentials.replace('guest', 'root'));
    await knows(OURS);
    expect(root.status()).toMatchObject([{ source: `etcd:${etcd.url}${PREFIX}`, state: 'working' }]);
  });
});
