import { appendFileSync, renameSync, statSync } from 'node:fs';
import { Writable } from 'node:stream';

const MAX_BYTES = 5 * 1024 * 1024;

/**
 * A log file that survives what happens to files: lines that a full disk does not take are left out and counted, and the log
 * goes on once there is room. At 5 MiB it becomes `<path>.1`, in place of the one before. Each line is in the file when its
 * write is done.
 */
export function logFile(path: string): Writable {
  let lost = 0;
  return new Writable({
    decodeStrings: false,
    write(line: string, _encoding, done) {
      try {
        rotate(path);
        if (lost > 0) append(path, lossLine(lost));
        lost = 0;
        append(path, line);
      } catch {
        lost += 1; // nowhere to say so until there is room again
      }
      done();
    },
  });
}

function append(path: string, text: string): void {
  appendFileSync(path, text, { mode: 0o600 });
}

function rotate(path: string): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size >= MAX_BYTES) renameSync(path, `${path}.1`);
}

function lossLine(lost: number): string {
  const message = `${lost} lines of this log could not be written: was the disk full?`;
  return `${JSON.stringify({ level: 'warn', message, timestamp: new Date().toISOString() })}\n`;
}
