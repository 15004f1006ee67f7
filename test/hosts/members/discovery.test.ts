import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Source, Target } from '../../../src/api/index.js';
import { type Host, until } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { newToken } from './members.js';

const SILENT = '192.0.2.9';

/** Two hosts that are told of each other by files alone, and the file of each; and two hosts without routers. */
const world = onLab(async (lab) => {
  const wire = await lab.wire();
  const [a, b, c, d] = [
    await lab.host(wire),
    await lab.host(wire),
    await lab.host(wire),
    await lab.host(wire),
  ];
  const token = newToken();
  const fileOf = (host: Host) => join(host.directory, 'targets');
  for (const host of [a, b]) {
    writeFileSync(fileOf(host), `# all hosts\n${a.address}\n${b.address}\n${SILENT}\n`);
    await host.launch({ token, args: ['--discover', `file:${fileOf(host)}`] });
  }
  return { a, b, c, d, fileOf };
});

const targetsOf = (host: Host) => host.weftJson<Target[]>('status', 'targets');

describe('two hosts with the same file', () => {
  test('find each other, and each finds itself without harm', async () => {
    const { a, b, fileOf } = world();
    await a.isConnectedTo(b);
    const stateOf = (targets: readonly Target[], host: Host) =>
      targets.find(({ target }) => target.startsWith(host.address))?.state;
    const targets = await until('it has found itself and the other', async () => {
      const now = await targetsOf(a);
      return stateOf(now, a) === 'self' && stateOf(now, b) === 'connected' && now;
    });
    const source = `file:${fileOf(a)}`;
    expect(targets.map(({ from }) => from)).toEqual([[source], [source], [source]]);
    const text = await a.weft('status', 'targets');
    expect(text).toMatch(/working/);
  });

  test('keep their link when the file is empty and after a restart, and what was connected by hand', async () => {
    const { a, b, fileOf } = world();
    writeFileSync(fileOf(a), '');
    await a.weft('connect', b.address);
    await until('the empty file was read', async () => {
      const [source] = await a.weftJson<Source[]>('status', 'sources');
      return source?.found === 0 && source.targets === 3;
    });
    expect(await targetsOf(a)).toContainEqual(
      expect.objectContaining({ from: ['connect', `file:${fileOf(a)}`], state: 'connected' }),
    );
    await a.weft('stop');
    await a.launch();
    await a.isConnectedTo(b);
    expect((await targetsOf(a)).map(({ from }) => from)).toEqual([['connect']]);
    expect(await a.weftJson<Source[]>('status', 'sources')).toHaveLength(1);
  });

  test('do without the source once a launch says so; a bad one is refused in one line', async () => {
    const { a } = world();
    await a.weft('stop');
    const refused = await a.tryWeft('launch', '--discover', 'file:targets');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/^[^\n]*--discover file:.* give the whole path[^\n]*\n$/);
    await a.launch({ args: ['--discover', 'none'] });
    expect(await a.weftJson('status', 'sources')).toEqual([]);
  });
});

describe('two hosts on one LAN', () => {
  test('find each other by multicast DNS, and no router of another network', async () => {
    const { a, b, c, d } = world();
    await a.weft('stop');
    await a.launch({ args: ['--discover', 'mdns:'] });
    const token = newToken();
    for (const host of [c, d]) await host.launch({ token, args: ['--discover', 'mdns:'] });
    await Promise.all([c.isConnectedTo(d), a.isConnectedTo(b)]);
    const found = await targetsOf(c);
    expect(found.map(({ from }) => from)).toContainEqual(['mdns:']);
    for (const { target } of found)
      expect([d.address, `[${d.address6}]`]).toContain(target.replace(/:\d+$/, ''));
    await d.weft('stop');
    await until('its goodbye was heard', async () => {
      const [source] = await c.weftJson<Source[]>('status', 'sources');
      return source?.found === 0 && source.targets === found.length;
    });
  });
});
