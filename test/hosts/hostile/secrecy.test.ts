import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { tcpStreams, until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { pairOn } from '../pair.js';

/** Enough that no window of it turns up by chance. */
const WINDOW = 6;

/** Which pieces of a secret are in a capture. */
function leaks(captured: Buffer, secret: Buffer): string[] {
  const found: string[] = [];
  for (let at = 0; at + WINDOW <= secret.length; at += 1) {
    const piece = secret.subarray(at, at + WINDOW);
    if (captured.includes(piece)) found.push(piece.toString('latin1'));
  }
  return found;
}

describe('a capture on the wire', () => {
  const world = onLab((lab) => pairOn(lab));

  test('contains no byte of the payload, of addresses or of MACs', async () => {
    const { a, c1, c2 } = world();
    const { address: mac } = await c1.device();
    const [within, outside] = [await a.capture('weft-tap'), await a.capture()];
    const text = Buffer.from(randomBytes(200).toString('base64'));
    const sink = c2.start(['socat', '-u', 'TCP4-LISTEN:7001', '-']);
    await until('the sink listens', () => c2.run(['sh', '-c', 'ss -Hltn sport = 7001 | grep .']));
    await c1.run(['socat', '-u', '-', `TCP4:${c2.address}:7001`], { input: text });
    expect((await sink.ends()).stdout).toBe(text.toString());
    await c1.run(['socat', '-u', '-', `UDP4:${c2.address}:7002`], { input: text });
    await c1.run(['ping', '-c', '3', '-i', '0.2', '-p', text.subarray(0, 16).toString('hex'), c2.address]);

    const [plain, wire] = [await within.stop(), await outside.stop()];
    expect(leaks(plain, text).length).toBeGreaterThan(0); // the probe works: inside the overlay it is there
    expect(wire.length).toBeGreaterThan(2000);
    expect(leaks(wire, text)).toEqual([]);
    expect(leaks(wire, Buffer.from(mac.replaceAll(':', ''), 'hex'))).toEqual([]);
    const addresses = Buffer.from([...c1.address.split('.'), ...c2.address.split('.')].map(Number));
    expect(wire.includes(addresses)).toBe(false);
  });

  test('shows nothing constant at the start of TCP connections', async () => {
    const { a, b } = world();
    const capture = await a.capture();
    const token = await a.token();
    for (let i = 0; i < 5; i += 1) {
      await b.weft('stop');
      await b.launch({ token });
      await until('the link is up again', async () =>
        /established|up/.test(await b.weft('status', 'connections')),
      );
    }
    const streams = tcpStreams(await capture.stop()).filter(({ payload }) => payload.length >= 32);
    for (const side of [
      streams.filter(({ toPort }) => toPort === 6783),
      streams.filter(({ toPort }) => toPort !== 6783),
    ]) {
      expect(side.length).toBeGreaterThanOrEqual(5);
      const starts = side.map(({ payload }) => payload.subarray(0, 32));
      const constant = Array.from(
        { length: 32 },
        (_, at) => new Set(starts.map((start) => start[at])).size === 1,
      );
      expect(constant.indexOf(true)).toBe(-1);
    }
    const sent = Buffer.concat(streams.map(({ payload }) => payload));
    for (const name of ['weft', 'host1', 'host2', 'noise', 'Noise']) expect(sent.includes(name)).toBe(false);
  });
});
