/** Debian's Chromium, where it is installed. */
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';
import { untested } from '../untested.js';

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
  untested('the page', `there is no ${CHROMIUM}, which \`make setup\` installs`);
  return true;
}

/** Starts it, with an empty profile of its own. */
export function startChromium(executablePath = CHROMIUM): Promise<Browser> {
  return chromium.launch({ executablePath, args: ARGUMENTS, headless: true });
}
