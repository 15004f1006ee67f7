import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../../src/hostnet/index.js';

describe('parseCidr', () => {
  it('gives addresses in one spelling', () => {
    expect(parseCidr('10.32.0.1/12')).toEqual({ text: '10.32.0.1/12', address: '10.32.0.1', family: 'inet' });
    expect(parseCidr('FD00:0::1/64').text).toBe('fd00::1/64');
  });

  it.each([
    '10.32.0.1',
    '10.32.0.1/33',
    '10.32.0/12',
    '/12',
    'web',
    '10.32.0.1/12/12',
    '',
    '0x7f.1/8',
  ])('refuses "%s"', (text) =>
    expect(() => parseCidr(text)).toThrow(expect.objectContaining({ code: 'bad-cidr' })));

  it.each([
    '224.0.0.1/4',
    '255.255.255.255/32',
    '0.0.0.0/0',
    '127.0.0.1/8',
    'ff02::1/64',
  ])('refuses %s, which no host can have', (text) =>
    expect(() => parseCidr(text)).toThrow(expect.objectContaining({ code: 'bad-cidr' })));
});
