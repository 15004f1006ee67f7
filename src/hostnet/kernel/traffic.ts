import { readFile } from 'node:fs/promises';

/** What passed an interface since it was made, bytes. */
export interface Traffic {
  readonly received: number;
  readonly sent: number;
}

/** Of all interfaces of this host, by name. */
export async function traffic(): Promise<ReadonlyMap<string, Traffic>> {
  return parseTraffic(await readFile('/proc/net/dev', 'utf8'));
}

/** Reads `/proc/net/dev` (net/core/net-procfs.c): the first column after the name is of bytes received, the ninth of bytes sent. */
export function parseTraffic(text: string): ReadonlyMap<string, Traffic> {
  const lines = text.matchAll(/^\s*(\S+):\s*(\d+)(?:\s+\d+){7}\s+(\d+)/gm);
  return new Map(
    [...lines].map(([, name = '', received, sent]) => [
      name,
      { received: Number(received), sent: Number(sent) },
    ]),
  );
}
