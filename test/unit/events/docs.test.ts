import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { KINDS } from '../../../src/events/index.js';

test('docs/observe.md lists the kinds of events, each with its fields', () => {
  const page = readFileSync(new URL('../../../docs/observe.md', import.meta.url), 'utf8');
  const [, section = ''] = /\n### Kinds\n([\s\S]*?)\n### /.exec(page) ?? [];
  const described = section
    .split('\n- ')
    .slice(1)
    .map((entry) => {
      const [what = '', fields = ''] = entry.split('Fields:');
      const quoted = (text: string) => [...text.matchAll(/`([\w-]+)`/g)].map(([, word = '']) => word);
      return [quoted(what)[0], [...quoted(fields)].sort()];
    });
  const known = Object.entries(KINDS).map(([kind, { properties }]) => [kind, Object.keys(properties).sort()]);
  expect(Object.fromEntries(described)).toEqual(Object.fromEntries(known));
});
