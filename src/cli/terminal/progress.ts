/** Something that is going on, as far as somebody watches. */
export interface Progress {
  /** It has ended; may be called again. */
  stop(): void;
}

/**
 * Says on the terminal what is going on, until it has ended. Nothing moves: what is drawn again and again depends on a size that serial
 * consoles, `ssh -tt` and CI do not have, and that changes.
 */
export function showProgress(text: string): Progress {
  const { isTTY, columns } = process.stderr;
  if (!isTTY) return { stop: () => {} };
  const erasable = columns > text.length && process.env.TERM !== 'dumb' && process.env.CI === undefined;
  process.stderr.write(erasable ? text : `${text}\n`);
  let shown = erasable;
  return {
    stop: () => {
      if (shown) process.stderr.write('\r\u001b[K');
      shown = false;
    },
  };
}
