import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { parseSocket, readDocuments } from '../../../src/cli/policy/index.js';

const directory = mkdtempSync(join(tmpdir(), 'weft-policy-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, content: string): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

test('a file may have several documents, of which empty ones do not count', async () => {
  const path = file('several.yaml', '---\na: 1\n---\n# nothing\n---\nb: [2, three]\n');
  expect(await readDocuments([path])).toEqual([
    { where: 'several.yaml, document 1', object: { a: 1 } },
    { where: 'several.yaml, document 3', object: { b: [2, 'three'] } },
  ]);
});

test('of a directory the files count that end in .yaml, .yml or .json, in the order of their names', async () => {
  file('b.json', '{"from": "json"}');
  file('a.yml', 'from: yml');
  file('notes.txt', 'from: nowhere');
  const found = await readDocuments([directory]);
  expect(found.map(({ where }) => where)).toEqual([
    'a.yml',
    'b.json',
    'several.yaml, document 1',
    'several.yaml, document 3',
  ]);
});

test.each([
  ['of no YAML', () => file('broken.yaml', 'a: [1'), 'broken.yaml: Flow sequence in block collection'],
  ['that is not there', () => join(directory, 'missing.yaml'), 'there is no such file or directory'],
  ['without documents', () => file('empty.yaml', '# nothing\n'), 'there is no policy in'],
])('a file %s is refused in one sentence', async (_, path, sentence) => {
  await expect(readDocuments([path()])).rejects.toMatchObject({
    code: 'bad-policy',
    message: expect.stringContaining(sentence),
  });
});

test('a port is of TCP unless it says otherwise', () => {
  expect(parseSocket('5432')).toEqual({ port: '5432', protocol: 'TCP' });
  expect(parseSocket('53/udp')).toEqual({ port: '53', protocol: 'UDP' });
  for (const text of ['', 'http', '53/icmp', '-1', '80/', '0', '65536'])
    expect(() => parseSocket(text)).toThrow('is no port');
});
