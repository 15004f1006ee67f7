import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Api, Mirror, type Resource } from '../../../src/kubernetes/index.js';
import { NAMESPACES as RESOURCE } from '../../../src/plugins/kubernetes/pods.js';
import { ApiServer, NAMESPACES } from '../../kubernetes/api-server.js';
import { namespace } from '../../kubernetes/shapes.js';
import { until } from '../../lab/until.js';

type Labels = Readonly<Record<string, string>>;

describe('what is known of a cluster', () => {
  let directory: string;
  let api: ApiServer;
  let ending: AbortController;
  /** Virtual, in milliseconds: it goes on with each pause. */
  let time: number;
  let turns: (string | undefined)[];
  let changes: number;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'weft-mirror-'));
    api = await ApiServer.start(directory);
    ending = new AbortController();
    [time, turns, changes] = [0, [], 0];
  });

  afterEach(async () => {
    ending.abort();
    api.stop();
    await rm(directory, { recursive: true });
  });

  const mirrored = (resource: Partial<Resource<Labels>> = {}, idle?: number) => {
    const mirror = new Mirror({
      api: new Api(api.access()),
      resource: { ...RESOURCE, ...resource },
      ...(idle !== undefined && { idle }),
      random: () => 0.5,
      time: () => time,
      pause: async (milliseconds) => {
        time += milliseconds;
        await new Promise((resolve) => setTimeout(resolve, 5));
      },
      onChange: () => {
        changes += 1;
      },
      onTurn: (error) => turns.push(error),
    });
    void mirror.run(ending.signal);
    return mirror;
  };
  const add = (name: string, team?: string) =>
    api.put(NAMESPACES, namespace(name, team === undefined ? {} : { team }));
  const namesIn = (mirror: Mirror<Labels>) => [...mirror.objects.keys()].sort();
  const knows = (mirror: Mirror<Labels>, ...names: string[]) =>
    until(`it knows ${names}`, () => namesIn(mirror).join() === names.sort().join());
  const lists = () => api.count(NAMESPACES, ({ query }) => !query.has('watch') && !query.has('continue'));
  const watching = (mirror: Mirror<Labels>) =>
    until('it watches', () => mirror.status.state === 'working' && api.count(NAMESPACES) > lists());

  test('is what the server has, from then on as it changes; what is no news changes nothing', async () => {
    for (let i = 0; i < 600; i += 1) add(`n${i}`);
    const mirror = mirrored();
    await mirror.known;
    expect(mirror.objects.size).toBe(600);
    await watching(mirror);
    const before = changes;
    for (let i = 0; i < 30; i += 1) add('n1'); // only its version is another
    add('n2', 'red');
    await until('it heard', () => mirror.objects.get('n2')?.team === 'red');
    expect(changes).toBe(before + 1);
    api.remove(NAMESPACES, 'n3');
    await until('it is gone', () => !mirror.objects.has('n3'));
    expect(lists()).toBe(1);
  });

  test('stays while the server is away for minutes, which is asked less and less often; then it is asked at once', async () => {
    add('a');
    const mirror = mirrored();
    await watching(mirror);
    api.break();
    const from = api.asked.length;
    const began = time;
    await until('minutes passed', () => time - began > 300_000);
    expect(namesIn(mirror)).toEqual(['a']);
    expect(api.asked.length - from).toBeLessThan(25);
    expect(mirror.status).toMatchObject({
      state: 'failing',
      error: expect.stringContaining('leader changed'),
    });
    expect(mirror.status.since).toBeLessThan(began + 5_000);
    expect(turns).toEqual([expect.any(String)]);
    api.remove(NAMESPACES, 'a');
    add('b');
    api.broken = false;
    await knows(mirror, 'b');
    expect(mirror.status).toMatchObject({ state: 'working', error: null });
    expect(turns).toEqual([expect.any(String), undefined]);
  });

  test('is not listed again by all routers at a time when the server only could not be reached', async () => {
    add('a');
    const mirror = mirrored({}, 200);
    await watching(mirror);
    api.silent = true; // watches stall, and are given up
    await until('it watches again', () => api.count(NAMESPACES) > lists() + 3);
    api.silent = false;
    add('b');
    await knows(mirror, 'a', 'b');
    expect(lists()).toBe(1);
  });

  test.each([
    false,
    true,
  ])('is listed anew when the server forgot what happened (by a status of HTTP: %s)', async (byStatus) => {
    add('a');
    const mirror = mirrored();
    await watching(mirror);
    api.refusesByStatus = byStatus;
    api.remove(NAMESPACES, 'a');
    add('b');
    api.compact();
    await knows(mirror, 'b');
    add('c');
    await knows(mirror, 'b', 'c');
    expect(turns).toEqual([]);
  });

  test('does not go with a server that forgets all the time, which is asked ever less often', async () => {
    add('a');
    const mirror = mirrored();
    const compacting = setInterval(() => api.compact(), 1);
    await until('minutes passed', () => time > 300_000);
    clearInterval(compacting);
    expect(lists()).toBeLessThan(25);
    expect(namesIn(mirror)).toEqual(['a']);
  });

  test.each([
    '{}',
    'nonsense',
    '{"metadata":{"resourceVersion":"1"},"items":[{}]}',
    '[]',
    'null',
  ])('stays when the server says %s', async (garbage) => {
    add('a');
    const mirror = mirrored();
    await watching(mirror);
    api.garbage = garbage;
    api.compact();
    await until('it is noticed', () => mirror.status.state === 'failing');
    expect(namesIn(mirror)).toEqual(['a']);
    api.garbage = undefined;
    add('b');
    await knows(mirror, 'a', 'b');
  });

  test('has all but the objects that cannot be read, which are told of until they can be', async () => {
    add('a');
    api.put(NAMESPACES, { metadata: { name: 'odd', labels: 7 } });
    const mirror = mirrored();
    await mirror.known;
    expect(namesIn(mirror)).toEqual(['a']);
    expect([...mirror.faults]).toEqual([['odd', expect.stringContaining('labels')]]);
    await watching(mirror);
    add('odd');
    await knows(mirror, 'a', 'odd');
    expect(mirror.faults.size).toBe(0);
  });

  test('comes in smaller pages where objects are huge', async () => {
    const note = 'x'.repeat(900_000);
    for (let i = 0; i < 12; i += 1) {
      const { metadata, ...rest } = namespace(`n${i}`);
      api.put(NAMESPACES, { ...rest, metadata: { ...metadata, note } });
    }
    const mirror = mirrored();
    await mirror.known;
    expect(mirror.objects.size).toBe(12);
    expect(turns).toEqual([]);
  });

  test('is no more than there is room for', async () => {
    for (const name of ['a', 'b', 'c']) add(name);
    const mirror = mirrored({ most: 2 });
    await mirror.known;
    expect(mirror.objects.size).toBe(2);
    expect(mirror.isWhole).toBe(false);
  });

  test('is asked for with the token of that moment', async () => {
    const mirror = mirrored();
    await watching(mirror);
    await writeFile(join(directory, 'token'), 'second-token\n');
    api.compact();
    await until('it lists anew', () => lists() > 1);
    expect(api.asked.at(0)?.token).toBe('Bearer first-token');
    expect(api.asked.at(-1)?.token).toBe('Bearer second-token');
  });
});
