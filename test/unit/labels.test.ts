import { describe, expect, it } from 'vitest';
import { checkLabels, type Labels, labelsText, mergedLabels, parseLabel } from '../../src/labels.js';

describe('a label', () => {
  it.each([
    ['app=shop', ['app', 'shop']],
    ['app=', ['app', '']],
    ['note=a=b c', ['note', 'a=b c']],
    ['example.com/Tier_2-x=käse', ['example.com/Tier_2-x', 'käse']],
    [`${'k'.repeat(63)}=${'v'.repeat(253)}`, ['k'.repeat(63), 'v'.repeat(253)]],
  ])('is read: %s', (text, label) => {
    expect(parseLabel(text)).toEqual(label);
  });

  it.each([
    'app',
    '=shop',
    ' app=shop',
    'app =shop',
    '.app=shop',
    'app-=shop',
    '__proto__=x',
    'äpp=shop',
    `${'k'.repeat(64)}=x`,
    `app=${'v'.repeat(254)}`,
    `app=${'ä'.repeat(127)}`,
    'app=a\nb',
    'app=\u001b[31m',
    'app=\u202ered',
    'app=\ud800',
  ])('is none: %j', (text) => {
    expect(() => parseLabel(text)).toThrow(expect.objectContaining({ code: 'bad-label' }));
  });

  it('is told without what harms a terminal when it is refused', () => {
    expect(() => parseLabel('\u001b[31m')).toThrow('"\\u001b[31m" is no label');
  });
});

const numbered = (count: number, value = 'x'): Labels =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`l${i}`, value]));

describe('the labels of a container', () => {
  it('are 16 at most, of 4,096 bytes', () => {
    expect(() => checkLabels(numbered(16))).not.toThrow();
    expect(() => checkLabels(numbered(17))).toThrow('these are 17 labels: a container has at most 16');
    expect(() => checkLabels(numbered(16, 'x'.repeat(252)))).not.toThrow();
    expect(() => checkLabels(numbered(16, 'x'.repeat(253)))).not.toThrow();
    const long = Object.fromEntries(
      Object.entries(numbered(16, 'x'.repeat(253))).map(([k, v]) => [k.padEnd(9, 'k'), v]),
    );
    expect(() => checkLabels(long)).toThrow('the labels have 4192 bytes together: at most 4096 are kept');
  });

  it('are put together from several sources, the first of which counts, as far as there is room', () => {
    expect(mergedLabels({ a: '1' }, { a: '2', b: '3' })).toEqual({ a: '1', b: '3' });
    expect(Object.keys(mergedLabels(numbered(15), { y: '1', z: '2' }))).toHaveLength(16);
    expect(mergedLabels({ 'a b': '1', constructor: '2' })).toEqual({ constructor: '2' });
  });

  it('are written in the order of their keys', () => {
    expect(labelsText({ b: '2', a: '1', 10: '', 9: '' })).toBe('10= 9= a=1 b=2');
  });
});
