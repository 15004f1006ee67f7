import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import type { Host } from '../lab/index.js';
import { onLab } from '../lab/suite.js';
import { chromiumIsMissing, startChromium } from '../ui/browser.js';

const isMissing = chromiumIsMissing();
const PAGE = 'http://127.0.0.1:6782/';

const world = onLab(async (lab) => {
  const [a, b, c] = await lab.hosts(3);
  await a.launch();
  const token = await a.token();
  for (const host of [b, c]) await host.launch({ token });
  await b.container('web', '10.32.0.2/24');
  for (const host of [b, c]) await a.isConnectedTo(host);
  return { a, b, c };
});

test.skipIf(isMissing)(
  'the page shows containers of other hosts, a cut wire within 2 s, and a host that was killed',
  async () => {
    const { a, b, c } = world();
    const browser = await chromiumOn(a);
    try {
      const page = await browser.newPage();
      const faults: string[] = [];
      page.on('pageerror', ({ message }) => faults.push(message));
      page.on('console', (message) => {
        if (message.type() === 'error') faults.push(message.text());
      });
      await page.goto(PAGE);
      await isShown(page, c, 'direct');
      await page.getByRole('button', { name: `${b.name}, 1 interface` }).press('Enter');
      await page.locator('#details').getByText('10.32.0.2').first().waitFor();

      await c.port.unplug();
      const cut = performance.now();
      await isShown(page, c, 'none');
      const seconds = (performance.now() - cut) / 1000;
      console.log(`a cut wire is on the page after ${seconds.toFixed(2)} s`);
      expect(seconds).toBeLessThan(2);
      await c.port.plug();
      // Perhaps through the other router first, which answers sooner.
      const reached = page.locator('#outline li:not([data-kind=none])');
      await reached.filter({ hasText: `link to ${c.name}` }).waitFor({ state: 'attached' });

      await b.crash();
      await page.getByRole('button', { name: `${b.name}, not reached` }).waitFor({ state: 'attached' });
      await page.getByRole('button', { name: 'Table' }).click();
      await page.locator('#list tr.lost').filter({ hasText: b.name }).waitFor();
      expect(faults).toEqual([]);
    } finally {
      await browser.close();
    }
  },
);

test('of another host it tells the version and the addresses that it may hand out', async () => {
  const { a, c } = world();
  const { peer, version } = (await a.report()).status;
  const told: unknown = JSON.parse(await c.run(['curl', '-sS', '--max-time', '2', `${PAGE}hosts/${peer}`]));
  const { owners } = (await c.report()).ipam;
  const addresses = owners.find((owner) => owner.peer === peer)?.addresses ?? 0;
  const range = expect.stringMatching(/^10\.\d+\.\d+\.\d+-10\.\d+\.\d+\.\d+$/);
  expect(addresses).toBeGreaterThan(0);
  expect(told).toMatchObject({ owned: { addresses, ranges: expect.arrayContaining([range]) } });
  const peers = await c.weftJson<{ peer: string; version: string }[]>('status', 'peers');
  expect(peers.find((each) => each.peer === peer)?.version).toBe(version);
});

test('no answer of the page tells a secret, the id of the network, or where files are', async () => {
  const { a, c } = world();
  const { status } = await a.report();
  const { peer } = (await c.report()).status;
  const secrets = [await a.token(), status.network.id, a.runDirectory, a.stateDirectory];
  for (const path of ['', 'page.js', 'live', `hosts/${peer}`, `paths/${peer}`, 'find?text=10.32', 'status']) {
    const { stdout } = await a.attempt(['curl', '-sS', '--max-time', '2', `${PAGE}${path}`]);
    expect(stdout.length, path).toBeGreaterThan(20);
    for (const secret of secrets) expect(stdout, path).not.toContain(secret);
  }
});

/** A browser on that host: the status address is for its own users. */
async function chromiumOn(host: Host): Promise<Browser> {
  const command = join(host.directory, 'chromium');
  writeFileSync(command, `#!/bin/sh\nexec ip netns exec ${host.namespace} /usr/bin/chromium "$@"\n`);
  chmodSync(command, 0o755);
  return await startChromium(command);
}

/** Both in words and in the picture. */
async function isShown(page: Page, host: Host, kind: string): Promise<void> {
  const line = page.locator(`#outline li[data-kind=${kind}]`).filter({ hasText: `link to ${host.name}` });
  await line.waitFor({ state: 'attached' });
  await expect.poll(() => page.evaluate(`${COLOUR_IS_DRAWN}('--${kind}')`)).toBe(true);
}

/** Whether a colour of the page is in the picture: a function, as the browser takes it; the page itself must not make any from text. */
const COLOUR_IS_DRAWN = `((name) => {
  const probe = document.body.appendChild(document.createElement('span'));
  probe.style.color = 'var(' + name + ')';
  const [red, green, blue] = getComputedStyle(probe).color.match(/\\d+/g).map(Number);
  probe.remove();
  const canvas = document.getElementById('canvas');
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  for (let i = 0; i < data.length; i += 4) {
    if (data[i] === red && data[i + 1] === green && data[i + 2] === blue) return true;
  }
  return false;
})`;
