/** Makes the picture of the page that docs/observe.md and README.md show: `npx tsx scripts/page-picture.ts`, after a build. */
import { fileURLToPath } from 'node:url';
import { startChromium } from '../test/ui/browser.js';
import { SyntheticMesh, servePage } from '../test/ui/synthetic.js';

const PICTURE = fileURLToPath(new URL('../docs/pictures/page.png', import.meta.url));

const server = await servePage(new SyntheticMesh(14));
const browser = await startChromium();
try {
  const page = await browser.newPage({
    colorScheme: 'light',
    reducedMotion: 'reduce',
    viewport: { width: 1000, height: 560 },
  });
  await page.goto(server.url);
  await page.locator('#outline [data-kind=relay] button').nth(1).press('Enter');
  await page.waitForTimeout(12_000); // the curves want something to show
  await page.screenshot({ path: PICTURE });
} finally {
  await browser.close();
  await server.close();
}
