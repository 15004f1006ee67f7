/** What a process does for as long as it is a router, whatever that router is. */
import { setFlagsFromString } from 'node:v8';
import { type LogTarget, logFatal } from '../logging/index.js';

/**
 * Resolves at SIGTERM or SIGINT, and when the terminal goes away that the router logs to; another one, from which it was launched, is no
 * reason. What comes while the router starts is heeded once it has.
 */
export function askedToStop(logs: LogTarget): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve());
    const onTerminal = () => {
      if (logs === 'terminal') resolve();
    };
    process.on('SIGHUP', onTerminal);
    process.on('SIGUSR2', () => {}); // there are those who send it to have logs opened anew; we would die of it
    process.stdout.on('error', onTerminal);
  });
}

/** After a fault nothing in this process can be trusted. The forwarder goes on, and the next launch adopts it. */
export function endOnFault(logs: LogTarget): void {
  process.on('uncaughtException', (error) => {
    logFatal(logs, error);
    process.exit(1);
  });
}

/**
 * A router does many things now and then. By default V8 makes machine code of what ran a few hundred times, which cost a fifth of the
 * first minute's CPU time and 6 MB; after twenty times as much only what is really busy gets it, answers to DNS questions above all.
 */
export function compileLate(): void {
  setFlagsFromString('--interrupt-budget=1350000');
}
