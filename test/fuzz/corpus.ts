import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Recorded messages and findings, as files of hexadecimal lines: a message or an input each. */

const CORPUS = fileURLToPath(new URL('./corpus/', import.meta.url));
const FINDINGS = fileURLToPath(new URL('./findings/', import.meta.url));

const loaded = new Map<string, readonly Buffer[]>();

/** Inputs that, one after the other, once broke a target. */
export interface Finding {
  readonly file: string;
  readonly target: string;
  readonly inputs: readonly Buffer[];
}

/** The messages that were recorded under this name. */
export function corpus(name: string): readonly Buffer[] {
  const known = loaded.get(name) ?? read(`${CORPUS}${name}.hex`);
  loaded.set(name, known);
  return known;
}

export function writeCorpus(name: string, messages: readonly Uint8Array[]): void {
  mkdirSync(CORPUS, { recursive: true });
  write(`${CORPUS}${name}.hex`, messages);
}

export function findings(): Finding[] {
  return readdirSync(FINDINGS)
    .filter((file) => file.endsWith('.hex'))
    .sort()
    .map((file) => ({ file, target: file.replace(/-[0-9a-f]{8}\.hex$/, ''), inputs: read(FINDINGS + file) }));
}

/** Gives the name of the file, which is the same for the same inputs. */
export function writeFinding(target: string, inputs: readonly Uint8Array[]): string {
  mkdirSync(FINDINGS, { recursive: true });
  const hash = createHash('sha256');
  for (const input of inputs) hash.update(input).update('\n');
  const path = `${FINDINGS}${target}-${hash.digest('hex').slice(0, 8)}.hex`;
  write(path, inputs);
  return path;
}

function read(path: string): Buffer[] {
  const text = readFileSync(path, 'utf8').replace(/\n$/, '');
  return text.split('\n').map((line) => Buffer.from(line, 'hex'));
}

function write(path: string, lines: readonly Uint8Array[]): void {
  writeFileSync(path, `${lines.map((line) => Buffer.from(line).toString('hex')).join('\n')}\n`);
}
