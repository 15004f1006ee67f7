import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Containers } from '../../../../src/daemon/attachments/containers.js';
import { FakeEngine } from '../../../lab/engine.js';

describe('a container that ended as soon as it started', () => {
  let directory: string;
  let engine: FakeEngine;
  let containers: Containers;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'weft-containers-'));
    engine = await FakeEngine.start(join(directory, 'engine.sock'));
    vi.stubEnv('DOCKER_HOST', `unix://${engine.socketPath}`);
    containers = new Containers();
    const connected = once(containers, 'connected');
    containers.watchAll();
    await connected;
  });

  afterEach(async () => {
    containers.stop();
    vi.unstubAllEnvs();
    await engine.end();
    rmSync(directory, { recursive: true });
  });

  test('is asked about once, and told of at once', async () => {
    const changed = once(containers, 'changed');
    const id = engine.run('brief', 0);
    expect(await changed).toEqual([id]);
    expect(engine.questions).toBe(1);
  });

  test('is asked about once when it is removed already', async () => {
    const removed = once(containers, 'removed');
    const changed = once(containers, 'changed');
    const id = engine.run('brief', 0);
    engine.remove('brief');
    expect([await removed, await changed]).toEqual([[id], [id]]);
    expect(engine.questions).toBe(1);
  });
});
