import type { CniFailure } from '../../api/index.js';
import type { ErrorCode } from '../../error-codes/index.js';
import { WeftError } from '../../errors.js';

/** Numbers of the specification, and those that its library uses. */
const UNKNOWN_CONTAINER = 3;
const BAD_ENVIRONMENT = 4;
const BAD_CONFIGURATION = 7;
const OWN_NAMESPACE = 8;
const TRY_LATER = 11;
const NOT_READY = 50;
const INTERNAL = 999;
/** All others: from 100 on they are a plugin's own. */
const FAILED = 100;

const NUMBERS: Partial<Record<ErrorCode, number>> = {
  'cni-version': 1,
  'no-such-namespace': UNKNOWN_CONTAINER,
  'not-a-namespace': BAD_ENVIRONMENT,
  'own-namespace': OWN_NAMESPACE,
  'bad-interface-name': BAD_ENVIRONMENT,
  'bad-cni-arguments': BAD_ENVIRONMENT,
  'bad-cni-config': BAD_CONFIGURATION,
  'bad-cidr': BAD_CONFIGURATION,
  'bad-subnet': BAD_CONFIGURATION,
  'bad-mac': BAD_CONFIGURATION,
  'no-such-network': BAD_CONFIGURATION,
  'no-addresses': TRY_LATER,
  'not-in-time': TRY_LATER,
  stopping: TRY_LATER,
  'cni-not-ready': NOT_READY,
};

/** A failure as runtimes know it. What is not a WeftError is a fault of ours: its text stays in the log. */
export function failureOf(error: unknown): CniFailure {
  if (!(error instanceof WeftError)) {
    return {
      code: INTERNAL,
      msg: 'the router failed to do this, because of a fault in it: see its log',
      details: '',
    };
  }
  return { code: NUMBERS[error.code] ?? FAILED, msg: error.message, details: error.code };
}
