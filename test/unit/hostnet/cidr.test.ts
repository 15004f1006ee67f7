import { describe, expect, it } from 'vitest';
import { linkLocalOf, parseCidr } from '../../../src/hostnet/index.js';

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
    'fe80::1%eth0/64',
  ])('refuses "%s"', (text) =>
    expect(() => parseCidr(text)).toThrow(expect.objectContaining({ code: 'bad-cidr' })));
});

describe('the link-local address of a bridge', () => {
  it('follows from its MAC as the kernel makes it', () => {
    expect(linkLocalOf('02:11:22:33:44:55').text).toBe('fe80::11:22ff:fe33:4455/64');
  });
});
