import { mkdir, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { fileError, systemCode, WeftError } from '../errors.js';

/** Where dockerd looks for its configuration. */
export const DOCKER_CONFIG = '/etc/docker/daemon.json';
/** Where containers on weft reach the DNS server of their host. */
export const DNS_SERVER = '169.254.53.53';

/** What is to be in the configuration, so that all containers find names of weft. */
export function dnsConfig(domain: string): Readonly<Record<string, readonly string[]>> {
  return { dns: [DNS_SERVER], 'dns-search': [domain] };
}

/** The configuration with that in it, first among what is there; all else is as it was. Throws `bad-docker-config`. */
export function withDns(text: string, domain: string, path: string): string {
  const config = text.trim() === '' ? {} : parse(text, path);
  for (const [key, values] of Object.entries(dnsConfig(domain))) {
    const before = config[key] ?? [];
    if (!Array.isArray(before)) {
      throw new WeftError('bad-docker-config', `"${key}" is no list in ${path}: correct that first`);
    }
    config[key] = [...new Set([...values, ...before])];
  }
  return `${JSON.stringify(config, undefined, 2)}\n`;
}

/** All or nothing. Rejects with `bad-docker-config`, `no-privilege` or `disk-full`. */
export async function writeDns(domain: string, path = DOCKER_CONFIG): Promise<void> {
  try {
    const before = await readFile(path, 'utf8').catch((error: unknown) => {
      if (systemCode(error) === 'ENOENT') return '';
      throw error;
    });
    const content = withDns(before, domain, path);
    const mode = await stat(path).then(
      (found) => found.mode & 0o777,
      () => 0o644,
    );
    await mkdir(dirname(path), { recursive: true });
    await writeFileAtomic(path, content, { mode });
  } catch (error) {
    throw fileError(`${path} cannot be changed`, error);
  }
}

function parse(text: string, path: string): Record<string, unknown> {
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch (error) {
    throw new WeftError('bad-docker-config', `${path} is no JSON: correct it first, it was not changed`, {
      cause: error,
    });
  }
  if (typeof config === 'object' && config !== null && !Array.isArray(config)) return { ...config };
  throw new WeftError('bad-docker-config', `${path} is no JSON object: correct it first, it was not changed`);
}
