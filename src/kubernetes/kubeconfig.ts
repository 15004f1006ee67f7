import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, resolve } from 'node:path';
import Type, { type Static } from 'typebox';
import { parse } from 'yaml';
import { messageOf, systemCode, WeftError } from '../errors.js';
import { loggable } from '../text/index.js';
import { validator } from '../validate.js';
import { type Access, type Credentials, LARGEST_FILE } from './access.js';

const Text = Type.Optional(Type.String());

const Cluster = Type.Object({
  server: Type.String(),
  'certificate-authority': Text,
  'certificate-authority-data': Text,
  'insecure-skip-tls-verify': Type.Optional(Type.Boolean()),
  'tls-server-name': Text,
});
const User = Type.Object({
  token: Text,
  tokenFile: Text,
  'client-certificate': Text,
  'client-certificate-data': Text,
  'client-key': Text,
  'client-key-data': Text,
  exec: Type.Optional(Type.Unknown()),
  'auth-provider': Type.Optional(Type.Unknown()),
});
const Context = Type.Object({ cluster: Type.String(), user: Text, namespace: Text });

const parseConfig = validator(
  'bad-kubeconfig',
  'the kubeconfig',
  Type.Object({
    'current-context': Type.String(),
    contexts: Type.Array(Type.Object({ name: Type.String(), context: Context })),
    clusters: Type.Array(Type.Object({ name: Type.String(), cluster: Cluster })),
    users: Type.Optional(Type.Array(Type.Object({ name: Type.String(), user: User }))),
  }),
);

/** What the current context of a file names. */
interface Chosen {
  readonly directory: string;
  readonly cluster: Static<typeof Cluster>;
  readonly user: Static<typeof User>;
  readonly namespace: string;
}

/** As the file says by its current context; what it holds is read again for each question. Throws `bad-kubeconfig`. */
export function kubeconfigAccess(path: string): Access {
  const { cluster } = chosenIn(path);
  return {
    origin: originOf(cluster.server),
    credentials: async () => credentialsOf(chosenIn(path)),
    namespace: async () => chosenIn(path).namespace,
  };
}

function chosenIn(path: string): Chosen {
  if (!isAbsolute(path)) throw bad(`KUBECONFIG must name one file by its whole path, and is "${path}"`);
  const config = parseConfig(parsed(path));
  const named = <T extends { name: string }>(list: readonly T[] | undefined, name: string, what: string) => {
    const found = list?.find((each) => each.name === name);
    if (found === undefined) throw bad(`${path} has no ${what} called "${name}"`);
    return found;
  };
  const { context } = named(config.contexts, config['current-context'], 'context');
  const { cluster } = named(config.clusters, context.cluster, 'cluster');
  const user = context.user === undefined ? {} : named(config.users, context.user, 'user').user;
  if (user.exec !== undefined || user['auth-provider'] !== undefined)
    throw bad(
      `${path} gets its credentials from a program, and weft runs none: name a token or a certificate`,
    );
  return { directory: dirname(path), cluster, user, namespace: context.namespace ?? 'default' };
}

function parsed(path: string): unknown {
  try {
    const text = readFileSync(path, 'utf8');
    if (text.length > LARGEST_FILE) throw new Error('it is too large');
    return parse(text);
  } catch (error) {
    throw bad(
      `the kubeconfig file ${path}, which KUBECONFIG names, cannot be read (${systemCode(error) ?? messageOf(error)}): name another one, or unset it in a pod`,
    );
  }
}

/** A token goes over an encrypted connection only. Throws `bad-kubeconfig`. */
function originOf(server: string): string {
  const url = URL.canParse(server) ? new URL(server) : undefined;
  if (url?.protocol === 'https:' && url.pathname === '/') return url.origin;
  throw bad(`the server of the kubeconfig must be https://HOST:PORT, and is "${server}"`);
}

async function credentialsOf({ directory, cluster, user }: Chosen): Promise<Credentials> {
  const content = async (data: string | undefined, file: string | undefined) => {
    if (data !== undefined) return Buffer.from(data, 'base64').toString();
    return file === undefined ? undefined : await fileOf(resolve(directory, file));
  };
  const [ca, cert, key, token] = await Promise.all([
    content(cluster['certificate-authority-data'], cluster['certificate-authority']),
    content(user['client-certificate-data'], user['client-certificate']),
    content(user['client-key-data'], user['client-key']),
    user.token ?? content(undefined, user.tokenFile),
  ]);
  const servername = cluster['tls-server-name'];
  const isUnchecked = cluster['insecure-skip-tls-verify'] ?? false;
  return { token: token?.trim(), tls: { ca, cert, key, servername, isUnchecked } };
}

async function fileOf(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).slice(0, LARGEST_FILE);
  } catch (error) {
    throw bad(
      `${path}, which the kubeconfig names, cannot be read: ${systemCode(error) ?? messageOf(error)}`,
    );
  }
}

function bad(why: string): WeftError {
  return new WeftError('bad-kubeconfig', loggable(why));
}
