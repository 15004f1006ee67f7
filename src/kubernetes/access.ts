import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode, WeftError } from '../errors.js';
import type { Tls } from '../http/index.js';
import { formatHostPort } from '../net/index.js';

/** Where pods find the service account that they run as. */
const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
/** The greatest file of credentials, in characters. */
export const LARGEST_FILE = 1 << 20;

/** Where an API server is, and how it is spoken to. */
export interface Access {
  /** Without credentials: `https://10.96.0.1:443`. */
  readonly origin: string;
  /** Read for each question: tokens are exchanged every hour, certificates every few months. Rejects with `kubernetes-failed` or `bad-kubeconfig`. */
  credentials(): Promise<Credentials>;
  /** Where what names no namespace is meant to be. */
  namespace(): Promise<string>;
}

export interface Credentials {
  readonly token: string | undefined;
  readonly tls: Tls;
}

/** As every pod gets at the API server, with the service account that is mounted there; undefined outside of pods. */
export function podAccess(
  { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port }: NodeJS.ProcessEnv,
  account: string = ACCOUNT,
): Access | undefined {
  if (host === undefined) return undefined;
  const file = (name: string) => accountFile(join(account, name));
  return {
    origin: `https://${formatHostPort({ host, port: Number(port ?? 443) })}`,
    credentials: async () => {
      const [ca, token] = await Promise.all([file('ca.crt'), file('token')]);
      return { token: token.trim(), tls: { ca } };
    },
    namespace: async () => (await file('namespace')).trim(),
  };
}

async function accountFile(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).slice(0, LARGEST_FILE);
  } catch (error) {
    const why = systemCode(error) ?? 'it cannot be read';
    throw new WeftError(
      'kubernetes-failed',
      `${path}: ${why}: the pod needs a service account with its token mounted`,
    );
  }
}
