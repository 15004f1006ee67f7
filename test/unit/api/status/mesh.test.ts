import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { MeshChange } from '../../../../src/api/status/index.js';
import { LinksBetweenOthers } from '../../../../src/daemon/mesh-view/told-links.js';
import { fullMesh, idOf, SyntheticMesh, servePage } from '../../../ui/synthetic.js';

describe('what the page is told', () => {
  const ends: (() => unknown)[] = [];

  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });

  async function serve(mesh: SyntheticMesh): Promise<URL> {
    const server = await servePage(mesh);
    ends.push(() => server.close());
    return new URL(server.url);
  }

  /** Somebody who watches. */
  async function watch({ port }: URL): Promise<Socket> {
    const socket = connect(Number(port), '127.0.0.1');
    ends.push(() => socket.destroy());
    socket.on('error', () => {}); // it is sent away
    await once(socket, 'connect');
    socket.write(`GET /live HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n\r\n`);
    return socket;
  }

  /** The first so many changes that it is told. */
  async function told(socket: Socket, count: number): Promise<MeshChange[]> {
    let text = '';
    for await (const chunk of socket) {
      text += (chunk as Buffer).toString();
      const all = [...text.matchAll(/event: (?:snapshot|change)\ndata: ([^\r\n]*)\n\n/g)];
      if (all.length >= count) return all.map(([, data = '']) => JSON.parse(data) as MeshChange);
    }
    throw new Error('it was sent away');
  }

  test('is all of the mesh, and then what changed', async () => {
    const mesh = new SyntheticMesh(5, 6, false);
    const socket = await watch(await serve(mesh));
    await expect.poll(() => mesh.looks).toBe(1);
    mesh.relink(idOf(2), { kind: 'none' });
    const [first, second] = await told(socket, 2);
    expect(Object.keys(first?.hosts?.put ?? {})).toHaveLength(5);
    expect(second).toMatchObject({ links: { put: { [idOf(2)]: { kind: 'none' } }, gone: [] } });
    expect(second).not.toHaveProperty('hosts');
    expect(Object.keys(second?.links?.put ?? {})).toEqual([idOf(2)]);
  });

  test('is found out once for all who watch, and not at all while nobody does', async () => {
    const mesh = new SyntheticMesh(3);
    const url = await serve(mesh);
    expect(mesh.looks).toBe(0);
    const watchers = await Promise.all([watch(url), watch(url), watch(url)]);
    await Promise.all(watchers.map((socket) => told(socket, 2)));
    expect(mesh.looks).toBeLessThanOrEqual(3);
    for (const socket of watchers) socket.destroy();
    await expect.poll(() => mesh.watched).toBe(false);
    const { looks } = mesh;
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(mesh.looks).toBe(looks);
  });

  test('goes to 16 at most; the next one is told why not', async () => {
    const url = await serve(new SyntheticMesh(3));
    for (let i = 0; i < 16; i += 1) await once(await watch(url), 'data');
    const refused = await fetch(new URL('live', url));
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ code: 'too-many-readers' });
  });

  test('is kept from foreign pages, and from those who want to run something in it', async () => {
    const url = await serve(new SyntheticMesh(3));
    for (const path of ['live', '', 'hosts/00000000000000aa', 'find?text=a']) {
      const answer = await fetch(new URL(path, url), { headers: { origin: 'http://example.org' } });
      expect(answer.status, path).toBe(403);
    }
    const page = await fetch(url);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
  });

  test.each(['hosts', 'paths'])('has no %s of a router that nobody knows', async (what) => {
    const url = await serve(new SyntheticMesh(3));
    const answer = await fetch(new URL(`${what}/00000000000000aa`, url));
    expect(answer.status).toBe(404);
    expect((await fetch(new URL(`${what}/..%2f..`, url))).status).toBe(400);
  });
});

test('of links between others the cheapest are shown, and those that both ends tell of', async () => {
  const states = new Map([
    ['a', new Map([['b', 1]])],
    [
      'b',
      new Map([
        ['c', 300.4],
        ['a', 1],
      ]),
    ],
    [
      'c',
      new Map([
        ['b', 211],
        ['d', 5],
      ]),
    ],
    ['d', new Map<string, number>()],
  ]);
  const { links } = await new LinksBetweenOthers().of(states, 'a', () => true);
  expect([...links]).toEqual([['b c', 300]]);
  const many = await new LinksBetweenOthers().of(
    fullMesh(Array.from({ length: 300 }, (_, i) => idOf(i))),
    idOf(0),
    () => true,
  );
  expect(many.links.size).toBeLessThanOrEqual(2_000);
  expect(many.omitted).toBeGreaterThan(20_000);
});
