import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { chromiumIsMissing, startChromium } from '../../ui/browser.js';
import { idOf, SyntheticMesh, servePage } from '../../ui/synthetic.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Seconds of CPU time of the page until it can be used, and for each frame while it is dragged: that makes 30 of them a second. */
const [USABLE, FRAME] = [2, 1 / 30];
const PATIENCE = 60_000;

describe.skipIf(chromiumIsMissing())('the page', { timeout: PATIENCE }, () => {
  let browser: Browser;
  const ends: (() => Promise<unknown>)[] = [];
  const faults: string[] = [];

  beforeAll(async () => {
    browser = await startChromium();
  }, PATIENCE);
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
    expect(faults.splice(0)).toEqual([]);
  });
  afterAll(() => browser?.close());

  /** Opens the page of a mesh; what goes wrong in it fails the test. */
  async function open(mesh: SyntheticMesh, options: Parameters<Browser['newPage']>[0] = {}): Promise<Page> {
    const server = await servePage(mesh);
    ends.push(() => server.close());
    const page = await browser.newPage({ viewport: { width: 1280, height: 720 }, ...options });
    ends.push(() => page.close());
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
    await page.goto(server.url);
    return page;
  }

  test('shows 500 hosts with 10,000 interfaces as a table at once, and as a picture that can be dragged', async () => {
    const server = await servePage(new SyntheticMesh(500, 20));
    ends.push(() => server.close());
    const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
    ends.push(() => page.close());
    const cpuTime = await cpuClock(page);
    await page.goto(server.url);
    await page.locator('#list tbody tr').nth(499).waitFor();
    await page.locator('#list tbody button').first().click();
    await page.locator('#details tbody tr').first().waitFor();
    const usable = await cpuTime();
    await page.getByRole('button', { name: 'Picture' }).click();
    const frame = await costOfFrame(page, cpuTime);
    console.log(
      `500 hosts: usable after ${usable.toFixed(2)} s of CPU time; a frame while dragging takes ${(1000 * frame).toFixed(1)} ms`,
    );
    expect(usable).toBeLessThan(USABLE);
    expect(frame).toBeLessThan(FRAME);
  });

  test.each([
    'light',
    'dark',
  ] as const)('has no serious fault of accessibility in its %s theme', async (colorScheme) => {
    const page = await open(new SyntheticMesh(30), { colorScheme });
    await page.locator('[data-kind=relay] button').nth(1).press('Enter');
    await page.getByRole('heading', { name: 'Addresses tried' }).waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    await page.getByRole('button', { name: 'Table' }).click();
    expect(await seriousFaults(page)).toEqual([]);
  });

  test('shows a nickname, a label and names of containers as text, though they are HTML', async () => {
    const mesh = new HostileMesh(3);
    const hostile = '<img src=x onerror="document.title=1">';
    mesh.add(3, hostile);
    const page = await open(mesh);
    await page.getByRole('button', { name: hostile }).first().press('Enter');
    await page.getByRole('heading', { name: hostile }).waitFor();
    await page.getByText('app=<b>shop</b>').first().waitFor();
    await page.getByText('<u>web</u>').first().waitFor();
    await page.getByText('<u>db</u>').first().waitFor();
    expect(await page.locator('img').count()).toBe(1); // our own
    expect(await page.locator('u').count()).toBe(0);
  });

  test('tells by keyboard why a link is as it is, and closes that with Escape', async () => {
    const page = await open(new SyntheticMesh(9));
    await page.getByRole('button', { name: 'link to oslo-2: TCP' }).press('Enter');
    const details = page.locator('#details');
    await details.getByText('Packets go straight, but over TCP').waitFor();
    await details.getByText('no direct answer over UDP').waitFor();
    await details.getByText('0 of 12').waitFor();
    await page.keyboard.press('Escape');
    await details.waitFor({ state: 'hidden' });
  });

  test('shows those only that somebody looks for, by an address of a container, too', async () => {
    const mesh = new SyntheticMesh(20);
    const page = await open(mesh);
    await page.getByRole('button', { name: 'Table' }).click();
    const shown = page.locator('#list tbody tr:not([hidden])');
    await expect.poll(() => shown.count()).toBe(20);
    await page.getByRole('searchbox').fill('ghent-2');
    await expect.poll(() => shown.count()).toBe(1);
    await page.getByRole('searchbox').fill(`10.32.${Number.parseInt(idOf(5).slice(14), 16)}.1`);
    await expect.poll(() => shown.count()).toBeGreaterThan(0);
    await expect.poll(() => shown.allTextContents()).toEqual([expect.stringContaining('lyon-1')]);
  });

  test('says that the router does not answer, and goes on by itself when it does again', async () => {
    const mesh = new SyntheticMesh(3);
    const server = await servePage(mesh);
    const page = await browser.newPage();
    ends.push(() => page.close());
    await page.goto(server.url);
    await page.locator('#outline li').nth(2).waitFor({ state: 'attached' });
    await server.close();
    await page.getByText('The router does not answer').waitFor();
    const again = await servePage(mesh, Number(new URL(server.url).port));
    ends.push(() => again.close());
    await page.getByText('The router does not answer').waitFor({ state: 'hidden' });
  });

  test('draws no more than the router tells while nothing moves, and the router looks no more once it is closed', async () => {
    const mesh = new SyntheticMesh(5, 6, false);
    const page = await open(mesh);
    await page.locator('#outline li').nth(4).waitFor({ state: 'attached' });
    await page.evaluate(COUNT_FRAMES);
    const looks = mesh.looks;
    await expect.poll(() => mesh.looks, { timeout: PATIENCE }).toBeGreaterThanOrEqual(looks + 3);
    expect(await page.evaluate('requested')).toBeLessThan(15);
    await page.close();
    await expect.poll(() => mesh.watched).toBe(false);
  });

  test.each([400, 1280])('needs no scrolling sideways at a width of %i pixels', async (width) => {
    const page = await open(new SyntheticMesh(30), { viewport: { width, height: 800 } });
    await page.locator('#outline li').nth(29).waitFor({ state: 'attached' });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
  });
});

/** A mesh whose containers are named in HTML. */
class HostileMesh extends SyntheticMesh {
  override async host(peer: string) {
    const found = await super.host(peer);
    if (found === undefined) return undefined;
    const interfaces = found.interfaces.map((each) => ({ ...each, names: ['<u>web</u>'] }));
    return { ...found, interfaces, names: found.names.map((each) => ({ ...each, name: '<u>db</u>' })) };
  }
}

const COUNT_FRAMES = `{
  globalThis.requested = 0;
  const request = requestAnimationFrame.bind(globalThis);
  globalThis.requestAnimationFrame = (task) => { requested += 1; return request(task); };
}`;

/** Begins to count the CPU time of the page's thread, in seconds: what else is at work on the machine does not count. */
async function cpuClock(page: Page): Promise<() => Promise<number>> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  return async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN;
  };
}

async function costOfFrame(page: Page, cpuTime: () => Promise<number>): Promise<number> {
  const box = await page.locator('#canvas').boundingBox();
  const [x, y] = [(box?.x ?? 0) + (box?.width ?? 0) / 2, (box?.y ?? 0) + (box?.height ?? 0) / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.evaluate(COUNT_FRAMES);
  const before = await cpuTime();
  for (let step = 0; step < 60; step += 1) {
    await page.mouse.move(x + 150 * Math.sin(step / 6), y + 100 * Math.sin(step / 9));
  }
  const spent = (await cpuTime()) - before;
  const frames = Number(await page.evaluate('requested'));
  await page.mouse.up();
  return spent / frames;
}

async function seriousFaults(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const faults = await page.evaluate(`axe.run().then(({ violations }) => violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => id + ': ' + nodes.slice(0, 3).map(({ html }) => html).join(' ')))`);
  return faults as string[];
}
