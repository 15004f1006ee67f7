/** Debian's Chromium, where it is installed. With `WEFT_REQUIRE_DOCKER=1` no test may be skipped for lack of it. */
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Says so once for each file of tests that does without. */
export function chromiumIsMissing(): boolean {
  if (existsSync(CHROMIUM)) return false;
  const text = `the page is not tried in a browser, since there is no ${CHROMIUM}: \`make setup\` installs it`;
  if (process.env.WEFT_REQUIRE_DOCKER === '1') throw new Error(text);
  console.error(text);
  return true;
}

/** Starts it, with an empty profile of its own. */
export function startChromium(executablePath = CHROMIUM): Promise<Browser> {
  return chromium.launch({ executablePath, args: ARGUMENTS, headless: true });
}
