import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseAllDocuments } from 'yaml';
import type { PolicyApplyRequest } from '../../api/index.js';
import { messageOf, systemCode, WeftError } from '../../errors.js';

const ENDINGS = /\.(ya?ml|json)$/;
/** Of one file. */
const MAX_BYTES = 8 * 1024 * 1024;

type Documents = PolicyApplyRequest['documents'];

/**
 * The documents of files of YAML or JSON, of directories of such, and of stdin (`-`), each with the name of its file and its number there. Empty documents are
 * left out. Rejects with `bad-policy`.
 */
export async function readDocuments(paths: readonly string[]): Promise<Documents> {
  const files = (await Promise.all(paths.map(filesAt))).flat();
  const documents = (await Promise.all(files.map(documentsOf))).flat();
  if (documents.length > 0) return documents;
  throw new WeftError(
    'bad-policy',
    `there is no policy in ${paths.join(', ')}: files must end in .yaml, .yml or .json`,
  );
}

async function filesAt(path: string): Promise<string[]> {
  if (path === '-') return [path];
  const found = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  if (!found.isDirectory()) return [path];
  const names = await readdir(path);
  return names
    .filter((name) => ENDINGS.test(name))
    .sort()
    .map((name) => join(path, name));
}

async function documentsOf(file: string): Promise<Documents> {
  const content = file === '-' ? await text(process.stdin) : await contentOf(file);
  const where = file === '-' ? 'stdin' : basename(file);
  const documents = parseAllDocuments(content);
  return [...documents].flatMap((document, index) => {
    const named = documents.length === 1 ? where : `${where}, document ${index + 1}`;
    const [mistake] = document.errors;
    if (mistake !== undefined) throw new WeftError('bad-policy', `${named}: ${firstLine(mistake.message)}`);
    const object: unknown = document.toJS();
    return object === null ? [] : [{ where: named, object }];
  });
}

async function contentOf(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size <= MAX_BYTES) return await readFile(file, 'utf8');
  } catch (error) {
    throw unreadable(file, error);
  }
  throw new WeftError('bad-policy', `${file} has more than ${MAX_BYTES} bytes: give the policies alone`);
}

function unreadable(path: string, error: unknown): WeftError {
  const why = systemCode(error) === 'ENOENT' ? 'there is no such file or directory' : messageOf(error);
  return new WeftError('bad-policy', `${path} cannot be read: ${why}`, { cause: error });
}

function firstLine(message: string): string {
  return message.split('\n')[0]?.replace(/:$/, '') ?? message;
}
