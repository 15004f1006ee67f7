import { readFileSync } from 'node:fs';

/** The test vectors of docs/protocol.md: the `name = value` lines of its `vectors` blocks, by section and name. */
export function protocolVectors(section: string): (name: string) => string {
  const text = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8');
  const block = new RegExp(`^\`\`\`vectors ${section}\n(.*?)^\`\`\``, 'ms').exec(text)?.[1];
  if (block === undefined) throw new Error(`docs/protocol.md has no vectors for section ${section}`);
  const values = new Map(
    block
      .replace(/\n +/g, '')
      .split('\n')
      .map((line) => line.split(' = '))
      .map(([name = '', value = '']) => [name.trim(), value.trim()]),
  );
  return (name) => {
    const value = values.get(name);
    if (value === undefined) throw new Error(`section ${section} has no vector "${name}"`);
    return value;
  };
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

export function bytesOf(hex: string): Buffer {
  return Buffer.from(hex, 'hex');
}
