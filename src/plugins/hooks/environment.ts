import type { WeftEvent } from '../../events/index.js';

/** Where a hook finds commands, whatever the daemon was started with. */
const SEARCH_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What a hook gets in its environment: `WEFT_EVENT`, and each detail under its name, `WEFT_PEER`. */
export function environmentOf(event: WeftEvent, runDir: string): Record<string, string> {
  const { kind, subject, seq, run, time, details } = event;
  const fields = Object.entries(details).map(([name, value]) => [`WEFT_${nameOf(name)}`, textOf(value)]);
  return {
    ...Object.fromEntries(fields),
    PATH: SEARCH_PATH,
    WEFT_RUN_DIR: runDir,
    WEFT_EVENT: kind,
    WEFT_SUBJECT: subject,
    WEFT_SEQ: String(seq),
    WEFT_RUN: run,
    WEFT_TIME: time,
  };
}

function nameOf(field: string): string {
  return field.toUpperCase();
}

/** Lists with blanks between; what is not known is empty. An environment takes no NUL. */
function textOf(value: unknown): string {
  const text = Array.isArray(value)
    ? value.join(' ')
    : typeof value === 'object'
      ? JSON.stringify(value)
      : String(value);
  return value === null ? '' : text.replaceAll('\0', '');
}
