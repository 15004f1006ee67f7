import { messageOf } from '../../errors.js';
import { formatHostPort, parseTarget } from '../../net/index.js';
import { loggable } from '../../text/index.js';

/** An answer of a source is no longer, in bytes. */
export const LARGEST_ANSWER = 4 << 20;

/** The targets of a text with one a line; what follows a `#` is a comment. */
export function targetLines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '');
}

/** `host:port` of what a source gave, each once; and what is wrong with the others. */
export function readTargets(texts: readonly string[]): { targets: Set<string>; faults: string[] } {
  const targets = new Set<string>();
  const faults: string[] = [];
  for (const text of texts) {
    try {
      targets.add(formatHostPort(parseTarget(loggable(text))));
    } catch (error) {
      faults.push(messageOf(error));
    }
  }
  return { targets, faults };
}
