import { chmodSync, copyFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { locateForwarder } from '../../../src/forwarder/index.js';
import { weftVersion } from '../../../src/version.js';
import { Listener, Sender } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { pair } from '../pair.js';

/** Packets a second. */
const RATE = 1_000;
const OUTDATED = weftVersion().replace(/\d/g, '0');

describe('the forwarder of a router whose forwarder was upgraded on the disk', () => {
  const world = onLab(async (lab) => {
    const [a, b] = await lab.hosts(2);
    const program = join(a.directory, 'weft-forwarder');
    const install = (content: Buffer) => {
      writeFileSync(`${program}.new`, content);
      chmodSync(`${program}.new`, 0o755);
      renameSync(`${program}.new`, program);
    };
    install(ofVersion(OUTDATED));
    a.variables.WEFT_FORWARDER = program;
    return { install, program, ...(await pair(a, b)) };
  });

  test('is said to be outdated by status and doctor', async () => {
    const { a } = world();
    const said = new RegExp(`^forwarder +of version ${OUTDATED} .*weft restart-forwarder`, 'm');
    expect(await a.weft('status')).toMatch(said);
    expect((await a.tryWeft('doctor')).stdout).toMatch(
      new RegExp(`forwarder version .*${OUTDATED}.*\\n.*weft restart-forwarder`),
    );
  });

  test('goes on, and nothing is lost, when the one on the disk does not work', async () => {
    const { a, c1, c2, install } = world();
    const { forwarder } = a;
    install(Buffer.from('#!/bin/sh\nexit 1\n'));
    const listener = await Listener.start(c2, 7000);
    const sender = await Sender.start(c1, c2.address, 7000, { rate: RATE, size: 100 });
    expect(await a.tryWeft('restart-forwarder')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^weft: the forwarder ended with code 1.*\n$/),
    });
    const { sent } = await sender.stop();
    expect(await listener.stop()).toMatchObject({ distinct: sent });
    expect(a.forwarder).toBe(forwarder);
  });

  test('is left alone when it does not answer, which is said', async () => {
    const { a, c1, c2 } = world();
    const { forwarder } = a;
    process.kill(forwarder, 'SIGSTOP');
    const refused = await a.tryWeft('restart-forwarder');
    process.kill(forwarder, 'SIGCONT');
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/^weft: .*did not answer.*\n$/) });
    await c1.reaches(c2.address);
    expect(a.forwarder).toBe(forwarder);
  });

  test('is exchanged within a moment, and containers go on as before', async () => {
    const { a, b, c1, c2, program } = world();
    const { forwarder } = a;
    copyFileSync(locateForwarder(), `${program}.new`);
    renameSync(`${program}.new`, program);
    const [there, back] = [await Listener.start(c2, 7000), await Listener.start(c1, 7001)];
    const senders = [
      await Sender.start(c1, c2.address, 7000, { rate: RATE, size: 100 }),
      await Sender.start(c2, c1.address, 7001, { rate: RATE, size: 100 }),
    ];
    expect(await a.weft('restart-forwarder')).toContain(`of version ${OUTDATED} for one of ${weftVersion()}`);
    await a.isConnectedTo(b);
    await c1.reaches(c2.address);
    const sent = await Promise.all(senders.map((sender) => sender.stop()));
    for (const [i, listener] of [there, back].entries()) {
      const { distinct } = await listener.stop();
      // A tenth of a second where nothing else runs.
      expect((sent[i]?.sent ?? 0) - distinct).toBeLessThan(RATE / 3);
    }
    expect(a.forwarder).not.toBe(forwarder);
    expect(await a.weft('status')).not.toContain(OUTDATED);
    expect(a.logs()).not.toMatch(/forwarder.*goes on/);
  });
});

/** The forwarder as it would be if it were of that version. */
function ofVersion(version: string): Buffer {
  const program = readFileSync(locateForwarder(), 'latin1');
  return Buffer.from(program.replaceAll(weftVersion(), version), 'latin1');
}
