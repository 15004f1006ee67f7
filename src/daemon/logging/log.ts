import { appendFileSync } from 'node:fs';
import winston from 'winston';
import { messageOf, WeftError } from '../../errors.js';
import { logFile } from './log-file.js';

export type Log = winston.Logger;

/** To a file as JSON lines; or to stdout, for people on a terminal and as JSON for a service manager. */
export type LogTarget = { readonly file: string } | 'terminal' | 'stdout';

/** The daemon's log. What is logged never holds a secret: errors speak of names and addresses only. */
export function createLog(level: string, target: LogTarget): Log {
  const { format, transports } = winston;
  const json = format.combine(format.timestamp(), format.json());
  const transport =
    typeof target === 'object'
      ? new transports.Stream({ stream: logFile(target.file), eol: '\n' })
      : new transports.Console();
  process.stdout.on('error', () => {}); // whoever read our log is gone
  return winston.createLogger({
    level,
    format: target === 'terminal' ? human() : json,
    transports: [transport],
  });
}

function human(): winston.Logform.Format {
  const { format } = winston;
  return format.combine(
    format.timestamp({ format: 'HH:mm:ss.SSS' }),
    format.colorize(),
    format.printf(({ timestamp, level, message, ...fields }) => {
      const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${text(value)}`);
      return `${String(timestamp)} ${level} ${String(message)}${rest.join('')}`;
    }),
  );
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** An error as fields of a log line. */
export function errorFields(error: unknown): Record<string, string> {
  if (error instanceof WeftError) return { code: error.code };
  if (error instanceof Error) return { stack: error.stack ?? error.message };
  return {};
}

/** The last words of a process: written at once, past the logger, which would write later. */
export function logFatal(target: LogTarget, error: unknown): void {
  const line = JSON.stringify({
    level: 'error',
    message: `the router ends because of a fault: ${messageOf(error)}`,
    ...errorFields(error),
    timestamp: new Date().toISOString(),
  });
  if (typeof target === 'object') appendFileSync(target.file, `${line}\n`, { mode: 0o600 });
  else process.stderr.write(`${line}\n`);
}
