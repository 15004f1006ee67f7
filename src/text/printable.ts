/** Control characters, and those that reorder or hide what stands beside them. */
const HARMFUL = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/**
 * A text that others chose, such as a nickname or a label, as it does no harm on a terminal. What is escaped reads as in JSON, so that JSON
 * stays what it was.
 */
export function printable(text: string): string {
  return text.replace(HARMFUL, (found) =>
    Array.from({ length: found.length }, (_, i) => escaped(found.charCodeAt(i))).join(''),
  );
}

function escaped(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}
