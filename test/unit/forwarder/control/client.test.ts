import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ControlClient } from '../../../../src/forwarder/control/client.js';

const A = '00000000000000aa';
const B = '00000000000000bb';

describe('ControlClient', () => {
  let directory: string;
  let path: string;
  let server: Server;
  let client: ControlClient | undefined;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'weft-control-'));
    path = join(directory, 'forwarder.sock');
    server = createServer();
    server.listen(path);
    await once(server, 'listening');
  });

  afterEach(async () => {
    client?.close();
    server.close();
    await rm(directory, { recursive: true });
  });

  /** Connects, and answers each line with what `reply` makes of it. */
  async function connected(
    reply: (line: Record<string, unknown>, socket: Socket) => void,
  ): Promise<ControlClient> {
    server.on('connection', (socket) => {
      let rest = '';
      socket.on('data', (bytes) => {
        const lines = (rest + bytes.toString()).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) reply(JSON.parse(line), socket);
      });
    });
    client = await ControlClient.connect(path);
    return client;
  }

  const send = (socket: Socket, message: object) => socket.write(`${JSON.stringify(message)}\n`);

  it('matches answers to requests whatever their order', async () => {
    const held: [Record<string, unknown>, Socket][] = [];
    const control = await connected((line, socket) => {
      held.unshift([line, socket]);
      if (held.length === 2)
        for (const [{ id, peer }, to] of held) send(to, { id, ok: { id: peer === A ? 10 : 11 } });
    });
    const answers = await Promise.all([control.probe(A), control.probe(B)]);
    expect(answers).toEqual([10, 11]);
  });

  it('reads the tables of segments that somebody filled with made-up addresses', async () => {
    const macs = Array.from({ length: 3 * 16_384 }, (_, i) => ({
      network: i % 3,
      mac: `02:00:00:00:${(i >> 8).toString(16).padStart(2, '0')}:${(i & 255).toString(16).padStart(2, '0')}`,
      peer: A,
      age: 12.345,
    }));
    const control = await connected(({ id }, socket) => send(socket, { id, ok: { macs } }));
    expect((await control.macs()).macs).toEqual(macs);
  });

  it("rejects with the forwarder's own error", async () => {
    const control = await connected(({ id }, socket) =>
      send(socket, { id, error: { code: 'index-in-use', message: 'taken' } }),
    );
    await expect(control.setOffload('udp-gro', true)).rejects.toMatchObject({
      code: 'index-in-use',
      message: 'taken',
    });
  });

  it('rejects an answer that is not of the contract, and says which field is wrong', async () => {
    const control = await connected(({ id }, socket) => send(socket, { id, ok: { id: -1 } }));
    await expect(control.probe(A)).rejects.toMatchObject({
      code: 'forwarder-protocol',
      message: expect.stringContaining("the forwarder's answer to probe is malformed: id"),
    });
  });

  it('takes a segment of which the forwarder was not told everything yet', async () => {
    const network = { network: 5, name: 'weft5-tap', mtu: null, queues: 2, loop: null, kernelPath: null };
    const dump = { peers: [], networks: [network], kernelPaths: [] };
    const control = await connected(({ id }, socket) => send(socket, { id, ok: dump }));
    expect(await control.dump()).toEqual(dump);
  });

  it('rejects a request that is not answered in time, and goes on', async () => {
    const control = await connected(
      ({ id, op }, socket) => op === 'peer.remove' && send(socket, { id, ok: {} }),
    );
    await expect(control.request('dump', {}, 20)).rejects.toMatchObject({ code: 'forwarder-timeout' });
    await expect(control.removePeer(A)).resolves.toBeUndefined();
  });

  it('rejects what is pending when the forwarder dies', async () => {
    const control = await connected((_line, socket) => socket.destroy());
    await expect(control.dump()).rejects.toMatchObject({ code: 'forwarder-lost' });
    expect(control.closed).toBe(true);
    await expect(control.dump()).rejects.toMatchObject({ code: 'forwarder-lost' });
  });

  it('gives events with their fields, and leaves out those that it does not know', async () => {
    const control = await connected(({ id }, socket) => {
      send(socket, { event: 'invented-tomorrow', x: 1 });
      send(socket, {
        event: 'peer-up',
        peer: '0123456789abcdef',
        endpoint: '1.2.3.4:6783',
        rtt: 80,
        more: true,
      });
      send(socket, { id, ok: {} });
    });
    const events: unknown[] = [];
    control.on('event', (event) => events.push(event));
    await control.request('subscribe', {});
    expect(events).toMatchObject([{ name: 'peer-up', fields: { peer: '0123456789abcdef', rtt: 80 } }]);
  });

  it('skips a malformed line and says so', async () => {
    const control = await connected(({ id }, socket) => {
      socket.write('{nonsense\n');
      send(socket, { event: 'peer-down', peer: 'not a peer' });
      send(socket, { id, ok: {} });
    });
    const faults: Error[] = [];
    control.on('malformed', (error) => faults.push(error));
    await expect(control.removePeer(A)).resolves.toBeUndefined();
    expect(faults).toHaveLength(2);
  });

  it('says that there is no forwarder when nobody listens', async () => {
    await expect(ControlClient.connect(join(directory, 'nobody.sock'))).rejects.toMatchObject({
      code: 'forwarder-absent',
    });
  });
});
