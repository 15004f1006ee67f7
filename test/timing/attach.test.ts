import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import type { Attachment } from '../../src/api/index.js';
import { pair } from '../hosts/pair.js';
import { type Host, run } from '../lab/index.js';
import { onLab } from '../lab/suite.js';
import { onThisMachine } from './machine.js';

/** Attaches without the start of a command: what the router itself takes. */
async function attachNow(host: Host, target: string, address: string): Promise<number> {
  const started = performance.now();
  const body = JSON.stringify({ target, addresses: [address] });
  const status = await new Promise<number>((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const socketPath = join(host.runDirectory, 'weft.sock');
    const sent = request({ socketPath, method: 'POST', path: '/attachments', headers }, (response) => {
      text(response).then(() => resolve(response.statusCode ?? 0), reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
  if (status !== 200) throw new Error(`attaching ${target} gave ${status}`);
  return performance.now() - started;
}

/** Of the kernel's clock of processes, ms. */
const TICK = 10;

/** What a process and the commands that it ran have worked, in ticks. */
function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  return fields.slice(11, 15).reduce((sum, ticks) => sum + ticks, 0);
}

const mean = (numbers: readonly number[]) => numbers.reduce((sum, each) => sum + each, 0) / numbers.length;

const COUNT = process.env.WEFT_LONG === '1' ? 500 : 100;

describe('attaching', () => {
  const world = onLab(async (lab) => {
    const [a, b] = await lab.hosts(2);
    return await pair(a, b);
  });

  test('takes less than 150 ms from the request to the first answer across hosts', async () => {
    const { a, c2 } = world();
    const taken: number[] = [];
    for (let i = 0; i < 9; i += 1) {
      const container = await a.container(`quick${i}`);
      const started = performance.now();
      await attachNow(a, container.namespace, `10.32.0.${100 + i}/24`);
      await container.run(['ping', '-n', '-c', '1', '-W', '1', c2.address]);
      taken.push(performance.now() - started);
    }
    console.info(`attached and answered within ${taken.map(Math.round).join(' ')} ms`);
    // Whatever else this machine does meanwhile makes some of them slow, but none fast.
    expect(taken.sort((x, y) => x - y)[2]).toBeLessThan(1000 * onThisMachine(0.15));
  });

  test(`takes the ${COUNT}th container no longer than the first`, async () => {
    const { a, lab } = world();
    const names = Array.from({ length: COUNT }, (_, i) => `${lab.name}-n${i}`);
    const made = names.map((name) => `netns add ${name}`).join('\n');
    await run(['ip', '-batch', '-'], { input: `${made}\n`, within: 120_000 });
    const taken: number[] = [];
    const worked = [cpuOf(a.daemon)];
    for (const [i, name] of names.entries()) {
      taken.push(await attachNow(a, name, `10.32.${(i >> 7) + 4}.${(i & 127) + 1}/16`));
      if ((i + 1) % 50 === 0) worked.push(cpuOf(a.daemon));
    }
    const each = worked.slice(1).map((ticks, i) => ((ticks - (worked[i] ?? 0)) * TICK) / 50);
    const [first = 0, last = 0] = [each[0], each.at(-1)];
    console.info(
      `ms of CPU for each, by fifties: ${each.map((ms) => ms.toFixed(1)).join(' ')};`,
      `ms of time: first 50 ${mean(taken.slice(0, 50)).toFixed(1)}, last 50 ${mean(taken.slice(-50)).toFixed(1)}`,
    );
    // Time tells how busy this machine is; work tells what weft and the kernel do.
    expect(last).toBeLessThan(2 * first);
    expect((await a.weftJson<Attachment[]>('ps')).filter(({ present }) => present).length).toBeGreaterThan(
      COUNT,
    );
    expect(readFileSync(join(a.runDirectory, 'daemon.log'), 'utf8')).not.toContain('"level":"error"');
  });
});
