import { WeftError } from './errors.js';
import { printable } from './text/index.js';

/** What people and engines note about a container: docs/guide.md, "Labels". */
export type Labels = Readonly<Record<string, string>>;

/** Of one container. */
export const LABEL_LIMITS = { count: 16, keyBytes: 63, valueBytes: 253, totalBytes: 4_096 };
/** Half of a character, which UTF-8 has no bytes for. */
const HALF = /\p{Cs}/u;
const KEY = /^[a-zA-Z0-9]([a-zA-Z0-9._/-]*[a-zA-Z0-9])?$/;

/** Why these cannot be the labels of a container; undefined when they can. */
export function labelsFlaw(labels: Labels): string | undefined {
  const { count, totalBytes } = LABEL_LIMITS;
  const entries = Object.entries(labels);
  if (entries.length > count) return `these are ${entries.length} labels: a container has at most ${count}`;
  for (const [key, value] of entries) {
    const flaw = keyFlaw(key) ?? valueFlaw(key, value);
    if (flaw !== undefined) return flaw;
  }
  const bytes = bytesOf(entries);
  return bytes <= totalBytes
    ? undefined
    : `the labels have ${bytes} bytes together: at most ${totalBytes} are kept`;
}

/** Throws `bad-label` for what cannot be the labels of a container. */
export function checkLabels(labels: Labels): void {
  const flaw = labelsFlaw(labels);
  if (flaw !== undefined) throw new WeftError('bad-label', flaw);
}

/** Reads `KEY=VALUE`. Throws `bad-label`. */
export function parseLabel(text: string): [key: string, value: string] {
  const end = text.indexOf('=');
  if (end < 0) {
    throw new WeftError('bad-label', `"${printable(text)}" is no label: give KEY=VALUE, such as app=shop`);
  }
  const [key, value] = [text.slice(0, end), text.slice(end + 1)];
  checkLabels({ [key]: value });
  return [key, value];
}

/** Those of all that a container can have: of one key the first, and as many as there is room for. */
export function mergedLabels(...sources: readonly Labels[]): Labels {
  let merged: Labels = {};
  for (const [key, value] of sources.flatMap((labels) => Object.entries(labels))) {
    if (Object.hasOwn(merged, key)) continue;
    const more = { ...merged, [key]: value };
    if (labelsFlaw(more) === undefined) merged = more;
  }
  return merged;
}

/** As they are written in a line: in the order of their keys. */
export function labelsText(labels: Labels): string {
  return labelTexts(labels).join(' ');
}

/** Each as it is written: `app=shop`. */
export function labelTexts(labels: Labels): string[] {
  return sortedLabels(labels).map(([key, value]) => `${key}=${value}`);
}

/** In the order of their keys, which is the same everywhere. */
export function sortedLabels(labels: Labels): [key: string, value: string][] {
  return Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Bytes of all keys and values. */
export function bytesOf(labels: readonly (readonly [key: string, value: string])[]): number {
  return labels.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
}

function keyFlaw(key: string): string | undefined {
  const { keyBytes } = LABEL_LIMITS;
  if (key.length <= keyBytes && KEY.test(key)) return undefined;
  return `"${printable(key)}" cannot be the key of a label: give 1 to ${keyBytes} letters, digits, dots, dashes, underscores and slashes, the first and the last a letter or a digit`;
}

function valueFlaw(key: string, value: string): string | undefined {
  const { valueBytes } = LABEL_LIMITS;
  if (Buffer.byteLength(value) > valueBytes)
    return `the label ${key} has a value of ${Buffer.byteLength(value)} bytes: give at most ${valueBytes}`;
  if (!HALF.test(value) && printable(value) === value) return undefined;
  return `the value of the label ${key} has characters that cannot be printed`;
}
