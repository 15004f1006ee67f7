import { connect, type Socket } from 'node:net';
import type { ErrorCode } from '../../../error-codes/index.js';
import { WeftError } from '../../../errors.js';
import type { HostPort } from '../../../net/index.js';

/** Makes a TCP connection. Rejects with `connect-failed`, `connect-timeout` (after so many milliseconds) or `connect-aborted`. */
export function connectTcp({ host, port }: HostPort, timeout: number, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true });
    const fail = (code: ErrorCode, why: string) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      reject(new WeftError(code, `no connection to ${host} port ${port}: ${why}`));
    };
    const onAbort = () => fail('connect-aborted', 'not wanted any more');
    const onError = (error: Error) => fail('connect-failed', error.message);
    const timer = setTimeout(() => fail('connect-timeout', 'no answer'), timeout);
    signal.addEventListener('abort', onAbort);
    socket.once('error', onError);
    socket.once('connect', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.off('error', onError);
      resolve(socket);
    });
  });
}
