import type { ErrorCode } from '../../error-codes/index.js';
import { WeftError } from '../../errors.js';
import { COPIED } from '../membership/index.js';
import {
  BYE_CLONED,
  BYE_DUPLICATE,
  BYE_OLD_SECRET,
  BYE_REMOVED,
  BYE_REVOKED,
  BYE_TOO_MANY_LINKS,
} from './messages.js';

interface Reason {
  readonly code: ErrorCode;
  readonly message: string;
}

const OLD_SECRET: Reason = {
  code: 'old-secret',
  message:
    'a router cannot join with a secret that was replaced: join with a new token (`weft token` on a member shows it)',
};
const STOPPING: Reason = { code: 'peer-stopped', message: 'the peer closed the link: it is stopping' };
const REASONS: Readonly<Record<number, Reason>> = {
  [BYE_DUPLICATE]: {
    code: 'duplicate-link',
    message: 'the peer closed the link: it uses another link to this router instead',
  },
  [BYE_TOO_MANY_LINKS]: {
    code: 'surplus-link',
    message: 'the peer closed the link: it has more control links than it needs',
  },
  [BYE_REMOVED]: {
    code: 'peer-removed',
    message: 'the peer closed the link: somebody removed this router from the network as dead',
  },
  [BYE_REVOKED]: {
    code: 'revoked',
    message:
      'this router was expelled from the network; its identity is refused for ever: `weft reset`, then join with a new token if its operator is still welcome',
  },
  [BYE_OLD_SECRET]: OLD_SECRET,
  [BYE_CLONED]: COPIED,
};

/** What the reason of a peer's bye (docs/protocol.md 3.8) means for the router that is told it. */
export function byeError(reason: number): WeftError {
  const { code, message } = REASONS[reason] ?? STOPPING;
  return new WeftError(code, message);
}

/** A newcomer knows only a secret that is being replaced. */
export function oldSecret(): WeftError {
  return new WeftError(OLD_SECRET.code, OLD_SECRET.message);
}

export function handshakeClosed(): WeftError {
  return new WeftError(
    'handshake-closed',
    'the connection was closed during the handshake: is the other side a weft router?',
  );
}

export function handshakeTimeout(milliseconds: number): WeftError {
  const limit = `${milliseconds / 1000} s`;
  return new WeftError('handshake-timeout', `the other side did not finish the handshake within ${limit}`);
}

export function linkTimeout(milliseconds: number): WeftError {
  return new WeftError('link-timeout', `the other side sent nothing for ${milliseconds / 1000} s`);
}

export function peerClosed(): WeftError {
  return new WeftError('peer-closed', 'the connection was closed by the other side');
}

/** Any error on a link as a WeftError; `where` is the phase of the handshake, or the type of the message, in which it happened. */
export function asLinkError(error: unknown, where: string): WeftError {
  if (error instanceof WeftError) return error;
  const isNoise = where === 'noise';
  return new WeftError(
    isNoise ? 'handshake-failed' : 'link-failed',
    isNoise
      ? `the handshake failed (${String(error)}): the other side is not a weft router, or somebody changes bytes on the way`
      : `the connection failed: ${String(error)}`,
    { cause: error },
  );
}
