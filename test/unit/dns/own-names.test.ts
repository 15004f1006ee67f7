import { describe, expect, test } from 'vitest';
import { addressText, OwnNames } from '../../../src/dns/index.js';
import { record } from './zone.js';

/** The names of a host, and what of them is published. */
function host() {
  const published = new Map<string, string[]>();
  const names = new OwnNames({
    publish: ({ name, container }, addresses) => {
      if (addresses.length === 0) published.delete(`${name} ${container}`);
      else published.set(`${name} ${container}`, addresses.map(addressText));
    },
  });
  return { names, published: () => Object.fromEntries(published) };
}

const web = (...addresses: string[]) => ({ ...record('web', ...addresses), container: 'c' });
const shop = (...addresses: string[]) => ({ ...record('shop', ...addresses), container: 'c' });

describe('a container', () => {
  test('is called what was registered last, of all its interfaces', () => {
    const { names, published } = host();
    names.register('c', [web('10.0.0.1'), web('10.0.0.2'), shop('10.0.0.1')]);
    expect(published()).toEqual({ 'web c': ['10.0.0.1', '10.0.0.2'], 'shop c': ['10.0.0.1'] });
    names.register('c', [web('10.0.0.3')]);
    expect(published()).toEqual({ 'web c': ['10.0.0.3'] });
  });

  test('keeps what users added, until it is gone', () => {
    const { names, published } = host();
    names.register('c', [web('10.0.0.1')]);
    names.add(web('10.0.0.9', '10.0.0.1'));
    names.add(shop('10.0.0.1'));
    names.register('c', [web('10.0.0.2')]);
    expect(published()).toEqual({ 'web c': ['10.0.0.2', '10.0.0.9', '10.0.0.1'], 'shop c': ['10.0.0.1'] });
    expect(names.unregister('c')).toBe(true);
    expect(published()).toEqual({});
    expect(names.unregister('c')).toBe(false);
    expect(names.added).toEqual([]);
  });

  test('loses a name, or one address of it, and nothing else', () => {
    const { names, published } = host();
    names.register('c', [web('10.0.0.1', '10.0.0.2'), shop('10.0.0.1')]);
    expect(names.remove(web(), web('10.0.0.2').addresses)).toBeDefined();
    expect(names.remove(shop(), [])).toBeDefined();
    expect(names.remove(shop(), [])).toBeUndefined();
    expect(names.remove(web(), web('10.0.0.7').addresses)).toBeUndefined();
    expect(published()).toEqual({ 'web c': ['10.0.0.1'] });
  });

  test('is called as before when a change is undone', () => {
    const { names, published } = host();
    names.register('c', [web('10.0.0.1')]);
    const before = published();
    names.add(web('10.0.0.2'))();
    names.add(shop('10.0.0.1'))();
    expect(published()).toEqual(before);
    names.add(web('10.0.0.2'));
    const both = published();
    names.remove(web(), web('10.0.0.1').addresses)?.();
    names.remove(web(), [])?.();
    expect(published()).toEqual(both);
    expect(names.added).toEqual([web('10.0.0.2')]);
  });

  test('has at most 256 addresses under one name', () => {
    const { names } = host();
    const many = Array.from({ length: 256 }, (_, i) => `10.0.1.${i}`);
    names.add(web(...many));
    expect(() => names.add(web('10.0.0.1'))).toThrow('more than 256');
  });
});
