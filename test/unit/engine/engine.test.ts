import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Engine, type EngineEvent, engineSockets } from '../../../src/engine/index.js';
import { FakeEngine } from '../../lab/engine.js';

describe('a container engine', () => {
  let directory: string;
  let fake: FakeEngine;
  let engine: Engine;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'weft-engine-'));
    fake = await FakeEngine.start(join(directory, 'engine.sock'));
    engine = new Engine(fake.socketPath);
  });

  afterEach(async () => {
    await fake.end();
    await rm(directory, { recursive: true });
  });

  it('tells of a container by name, id, and the beginning of the id', async () => {
    const id = fake.run('web', 4711);
    for (const wanted of ['web', id, id.slice(0, 12)]) {
      expect(await engine.inspect(wanted)).toMatchObject({
        id,
        name: 'web',
        pid: 4711,
        hostname: id.slice(0, 12),
      });
    }
    fake.stop('web');
    expect(await engine.inspect('web')).toMatchObject({ pid: undefined });
    expect(await engine.inspect('nobody')).toBeUndefined();
  });

  it('that is not there does not say that a container is gone', async () => {
    const inspected = new Engine(join(directory, 'nothing.sock')).inspect('web');
    await expect(inspected).rejects.toMatchObject({ code: 'engine-absent' });
  });

  it('tells when a container starts, is renamed, ends and is removed', async () => {
    const ending = new AbortController();
    const events: EngineEvent[] = [];
    const watching = (async () => {
      for await (const event of engine.events(ending.signal)) events.push(event);
    })().catch(() => {});
    await expect.poll(() => events).toEqual([{ kind: 'connected' }]);
    const id = fake.run('web', 4711);
    fake.rename('web', 'www');
    fake.stop('www');
    fake.remove('www');
    await expect
      .poll(() => events.slice(1))
      .toEqual([
        { kind: 'started', id },
        { kind: 'renamed', id },
        { kind: 'ended', id },
        { kind: 'removed', id },
      ]);
    ending.abort();
    await watching;
  });
});

describe('the sockets of engines', () => {
  it('are those of Docker and Podman, or the one that DOCKER_HOST names', () => {
    expect(engineSockets({})).toEqual(['/var/run/docker.sock', '/run/podman/podman.sock']);
    expect(engineSockets({ DOCKER_HOST: 'unix:///run/other.sock' })).toEqual(['/run/other.sock']);
    expect(engineSockets({ DOCKER_HOST: 'tcp://192.0.2.1:2375' })).toEqual([]);
  });
});
