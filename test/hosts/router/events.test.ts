import { describe, expect, test } from 'vitest';
import type { WeftEvent } from '../../../src/events/index.js';
import { until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';

describe('what happens', () => {
  const world = onLab(async (lab) => {
    const [a, b] = await lab.hosts(2);
    return { a, b };
  });

  test('is told as it happens: a peer that joins, its path, containers, names, its death, and the end', async () => {
    const { a, b } = world();
    const waiting = a.startWeft('wait', '--ready', '--peers', '1', '--attached', 'c1', '--timeout', '90');
    expect(await a.tryWeft('wait', '--ready', '--timeout', '1')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^weft: not within 1 s: the router is not running.*\n$/),
    });
    await a.launch();
    const json = a.startWeft('events', '--since', '0', '-o', 'json');
    const people = a.startWeft('events', '--since', '1h');
    const events = () =>
      json.stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as WeftEvent);
    const happened = (kind: WeftEvent['kind'], details: object = {}) =>
      until(
        `${kind} is told`,
        () => {
          const found = events().filter((event) => event.kind === kind);
          expect(found.map((event) => event.details)).toContainEqual(expect.objectContaining(details));
          return true;
        },
        { within: 20_000 },
      );
    await happened('router-up', { nickname: a.name });
    const { peer } = await b.launch({ token: await a.token() });
    await happened('peer-joined', { peer, nickname: b.name });
    await happened('path-changed', { peer, before: 'none', path: 'direct', reason: null });
    const c1 = await a.container('c1', '10.32.0.1/24', '--name', 'c1');
    await happened('container-attached', { name: 'c1', addresses: ['10.32.0.1/24'], network: 'default' });
    await happened('name-added', { name: 'c1', addresses: ['10.32.0.1'] });
    expect(await waiting.finished).toMatchObject({ code: 0, stdout: '', stderr: '' });
    const c2 = await b.container('c2');
    await c2.attach();
    await happened('addresses-given', { peer, nickname: b.name, ranges: [expect.stringMatching(/^10\.\d/)] });
    await c1.detach();
    await happened('container-detached', { name: 'c1' });
    await happened('name-removed', { name: 'c1' });
    await b.crash();
    await happened('path-changed', { peer, before: 'direct', path: 'none' });
    await a.weft('stop');
    for (const command of [json, people]) {
      expect(await command.finished).toMatchObject({
        code: 3,
        stderr: 'weft: the router stopped: there are no more events\n',
      });
    }
    expect(events().at(-1)).toMatchObject({ kind: 'router-down', details: { forget: false } });
    expect(events().map(({ seq }) => seq)).toEqual(events().map((_, i) => i + 1));
    expect(people.stdout).toContain(`${b.name} joined\n`);
    expect(people.stdout).toMatch(/is reached not at all/);
  });
});
