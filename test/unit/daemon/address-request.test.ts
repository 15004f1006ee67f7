import { describe, expect, it } from 'vitest';
import { parseAddressRequest, parseWantedAddress } from '../../../src/daemon/addresses/address-request.js';

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
  ])('is refused when it is %s', (text, code) => {
    expect(() => parseAddressRequest(text)).toThrow(expect.objectContaining({ code }));
  });
});

describe('an address that somebody wants to have', () => {
  it.each([
    '10.32.1.5/24',
    'ip:10.32.255.0/12',
    '10.32.0.255/12',
    '10.32.0.0/31',
    '10.32.0.1/31',
    '10.32.0.0/32',
    '169.254.53.54/16',
    'fd32::/127',
    'fd32::1/127',
    'fd32::/128',
    'fd32::ffff:ffff:ffff:ffff/64',
    'net:10.40.0.0/16',
  ])('may be %s', (text) => {
    expect(parseWantedAddress(text)).toEqual(parseAddressRequest(text));
  });

  it.each([
    ['10.32.255.0/24', 'the address of its subnet itself'],
    ['ip:10.32.0.0/12', 'the address of its subnet itself'],
    ['10.33.7.255/24', 'the broadcast address of its subnet'],
    ['10.32.0.3/30', 'the broadcast address of its subnet'],
    ['255.255.255.255/32', 'the broadcast address of every network'],
    ['0.0.0.0/8', 'an unspecified address'],
    ['0.0.0.5/24', 'an unspecified address'],
    ['127.0.0.9/8', 'a loopback address'],
    ['224.0.0.9/24', 'a multicast address'],
    ['240.0.0.1/8', 'an address that is reserved for future use'],
    ['169.254.53.53/16', 'the address of the name server in every container'],
    ['169.254.53.53/32', 'the address of the name server in every container'],
    ['fe80::53/64', 'the address of the name server in every container'],
    ['fe80:0::53/128', 'the address of the name server in every container'],
    ['fd32::/64', 'the anycast address of the routers of its subnet'],
    ['::/0', 'an unspecified address'],
    ['::1/128', 'a loopback address'],
    ['ff02::1/64', 'a multicast address'],
    ['::ffff:10.32.0.5/120', 'an IPv4 address in IPv6 notation'],
  ])('is refused when it is %s, in one sentence', (text, what) => {
    const refused = { code: 'bad-cidr', message: expect.stringMatching(`^\\S+ is ${what}: choose another$`) };
    expect(() => parseWantedAddress(text)).toThrow(expect.objectContaining(refused));
  });
});
