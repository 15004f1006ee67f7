import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { parsePolicy } from '../../../src/policy/index.js';

const page = readFileSync(new URL('../../../docs/policy.md', import.meta.url), 'utf8');
const recipes = [...page.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, text = '']) => text);

test('docs/policy.md has recipes', () => {
  expect(recipes.length).toBeGreaterThan(5);
});

test('each of them can be applied', () => {
  for (const text of recipes)
    expect(parsePolicy(parse(text), text)).toMatchObject({ name: expect.any(String) });
});
