/** Writes docs/errors.md from the registry of error codes: `npx tsx scripts/errors.ts`. A test keeps the page true. */
import { readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ERRORS_BY_SUBJECT, type ErrorMeaning } from '../src/error-codes/index.js';

const PAGE = fileURLToPath(new URL('../docs/errors.md', import.meta.url));

const HEAD = `# Errors

Every failure has a code, which stays the same over versions, and a sentence that says what happened, why, and what
to do. The command prints the sentence and ends with the exit code; the API answers with the status and
\`{"code", "message"}\`; logs and counters name the code.

This page is made from \`src/error-codes\` by \`npx tsx scripts/errors.ts\`.
`;

/** The page as the registry wants it. */
export function errorsPage(): string {
  const sections = Object.entries(ERRORS_BY_SUBJECT).map(([subject, errors]) => {
    const rows = Object.entries<ErrorMeaning>(errors).map(
      ([code, { status, exit, meaning, remedy }]) =>
        `| \`${code}\` | ${status} | ${exit} | ${meaning} | ${remedy.replaceAll('|', '\\|')} |`,
    );
    return `## ${subject}\n\n| code | HTTP | exit | meaning | what to do |\n| --- | --- | --- | --- | --- |\n${rows.join('\n')}\n`;
  });
  return `${HEAD}\n${sections.join('\n')}`;
}

/** The page as it is. */
export function errorsPageNow(): string {
  return readFileSync(PAGE, 'utf8');
}

if (relative(process.argv[1] ?? '', fileURLToPath(import.meta.url)) === '') writeFileSync(PAGE, errorsPage());
