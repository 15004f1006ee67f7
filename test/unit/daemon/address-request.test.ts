import { describe, expect, it } from 'vitest';
import { parseAddressRequest } from '../../../src/daemon/address-request.js';

describe('an address as a user asks for it', () => {
  it.each([
    ['10.32.1.5/24', { kind: 'fixed', cidr: '10.32.1.5/24' }],
    ['ip:10.32.1.5/24', { kind: 'fixed', cidr: '10.32.1.5/24' }],
    ['FD32::5/64', { kind: 'fixed', cidr: 'fd32::5/64' }],
    ['net:10.40.0.0/16', { kind: 'any', subnet: '10.40.0.0/16' }],
    ['net:fd40::/64', { kind: 'any', subnet: 'fd40::/64' }],
    ['net:default', { kind: 'any', subnet: null }],
  ])('may be %s', (text, request) => {
    expect(parseAddressRequest(text)).toEqual(request);
  });

  it.each([
    ['10.32.1.5', 'bad-cidr'],
    ['net:10.40.0.1/16', 'bad-subnet'],
    ['net:', 'bad-subnet'],
    ['net', 'bad-cidr'],
    ['ip:net:default', 'bad-cidr'],
    ['224.0.0.1/8', 'bad-cidr'],
  ])('is refused when it is %s', (text, code) => {
    expect(() => parseAddressRequest(text)).toThrow(expect.objectContaining({ code }));
  });
});
