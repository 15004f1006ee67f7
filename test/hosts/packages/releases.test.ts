/** This weft beside the release before it, in one network, upgraded in either order. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { attempt, type Container, type Host, Listener, run, Sender } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/** It compiles another weft, which takes many minutes. */
const LONG = process.env.WEFT_LONG === '1';
const MAKING = 2_400_000;
/** WEFT_BEFORE names any other commit in place of the release before. */
const BEFORE = process.env.WEFT_BEFORE ?? (await releaseBefore());

if (LONG && BEFORE === '')
  console.error('an upgrade from the release before is not tested: there is no tag of an earlier one');

describe.skipIf(!LONG || BEFORE === '')('the release before', { timeout: 120_000 }, () => {
  const world = onLab(async (lab) => ({ hosts: (await lab.hosts(2)) as [Host, Host] }));
  const former = join(ROOT, 'build/before', BEFORE);
  beforeAll(async () => await make(former), MAKING);

  test.each([
    ['founder', 0],
    ['member', 1],
  ])('works with this one, and becomes this one while packets flow, first on the %s', async (_, first) => {
    const { hosts } = world();
    const [a, b] = hosts;
    for (const host of hosts) host.program = join(former, 'bin/weft');
    await a.launch();
    await b.launch({ token: await a.token() });
    const [c1, c2] = [
      await a.container(`c1-${first}`, '10.32.0.1/24'),
      await b.container(`c2-${first}`, '10.32.0.2/24'),
    ];
    await c1.reaches('10.32.0.2');
    const order = first === 0 ? [a, b] : [b, a];
    for (const host of order) {
      await upgraded(host, c1, c2);
      const [new1, new2] = [
        await a.container(name('d1', host, first)),
        await b.container(name('d2', host, first)),
      ];
      await new1.attach('10.32.1.1/24');
      await new2.attach('10.32.1.2/24');
      await new1.reaches('10.32.1.2');
      for (const each of [new1, new2]) await each.detach();
    }
    for (const host of hosts) await host.weft('reset', '--force');
  });

  /** Has the host's router be of this weft while the two containers talk. */
  async function upgraded(host: Host, from: Container, to: Container): Promise<void> {
    const listener = await Listener.start(to, 7000);
    const sender = await Sender.start(from, '10.32.0.2', 7000, { rate: 1000, size: 1000 });
    host.program = join(ROOT, 'bin/weft');
    expect(await host.weft('upgrade')).toMatch(/^upgraded from \S+ to \S+$/m);
    const { sent } = await sender.stop();
    const { distinct } = await listener.stop();
    const { forwarder } = (await host.report()).status;
    console.log(
      `${host.name}: ${sent - distinct} of ${sent} packets lost, forwarder adopted: ${forwarder.adopted}`,
    );
    if (forwarder.adopted) expect(sent - distinct).toBeLessThanOrEqual(1);
    else expect(process.env.WEFT_BEFORE).toBeDefined(); // releases adopt each other's forwarders
  }
});

function name(kind: string, { name }: Host, first: number): string {
  return `${kind}-${name}-${first}`;
}

/** The newest tag of this history that is not of this commit; empty where there is none. */
async function releaseBefore(): Promise<string> {
  const tags = [
    'tag',
    '--merged',
    'HEAD',
    '--no-contains',
    'HEAD',
    '--sort=-version:refname',
    '--list',
    'v*',
  ];
  const { stdout } = await attempt(['git', '-C', ROOT, ...tags]);
  return stdout.split('\n')[0] ?? '';
}

async function make(directory: string): Promise<void> {
  if (!existsSync(directory)) {
    await run(['git', '-C', ROOT, 'worktree', 'add', '--force', '--detach', directory, BEFORE]);
  }
  await run(['make', '-C', directory, 'dist/.built', 'build/native/weft-forwarder'], { within: MAKING });
}
