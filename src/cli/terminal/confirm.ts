import { once } from 'node:events';

/** Asks on the terminal; true where there is nobody to ask, as in a script. */
export async function confirmed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) return true;
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const closed = once(terminal, 'close').then(() => ''); // Ctrl-D, Ctrl-C: newer versions of Node reject at them
    const asked = terminal.question(`${question} [y/N] `).catch(() => '');
    return /^y(es)?$/i.test((await Promise.race([asked, closed])).trim());
  } finally {
    terminal.close();
  }
}
