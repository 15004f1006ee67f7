import { decode } from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HOST, OTHER, query, record, withEdns, Zone } from './zone.js';

const found = (...data: string[]) => ({ rcode: 'NOERROR', data, authority: [] });
const nothing = (rcode: 'NOERROR' | 'NXDOMAIN') => ({ rcode, data: [], authority: ['SOA'] });

describe('names of the domain', () => {
  const zone = new Zone(
    record('web', '10.32.0.1', 'fd32::1'),
    record('front.shop', '10.32.0.2'),
    record('only6', 'fd32::6'),
  );

  test('are answered with their addresses', () => {
    expect(zone.dig('web.weft.local')).toEqual(found('10.32.0.1'));
    expect(zone.dig('web.weft.local', 'AAAA')).toEqual(found('fd32::1'));
    expect(zone.dig('web.weft.local', 'ANY' as never)).toEqual(found('10.32.0.1', 'fd32::1'));
    expect(zone.dig('WEB.Weft.LOCAL')).toEqual(found('10.32.0.1'));
  });

  test('exist also without records of the wanted type', () => {
    for (const type of ['MX', 'TXT', 'SRV', 'CNAME', 'NS', 'HTTPS' as never] as const) {
      expect(zone.dig('web.weft.local', type)).toEqual(nothing('NOERROR'));
    }
    expect(zone.dig('only6.weft.local')).toEqual(nothing('NOERROR'));
    expect(zone.dig('shop.weft.local')).toEqual(nothing('NOERROR'));
  });

  test('do not exist above, beside or below those that do', () => {
    for (const name of ['eb', 'a.web', 'x.shop', 'xshop', 'front', 'web.web']) {
      expect(zone.dig(`${name}.weft.local`)).toEqual(nothing('NXDOMAIN'));
    }
  });

  test('and the domain itself has a SOA with the negative TTL', () => {
    const response = decode(zone.ask(query({ name: 'weft.local', type: 'SOA' })) ?? Buffer.alloc(0));
    expect(response.answers).toMatchObject([
      { type: 'SOA', name: 'weft.local', ttl: 1, data: { minimum: 1 } },
    ]);
    expect(zone.dig('weft.local')).toEqual(nothing('NOERROR'));
  });

  test('cannot be transferred', () => {
    expect(zone.dig('weft.local', 'AXFR')).toEqual({ rcode: 'REFUSED', data: [], authority: [] });
  });

  test('are found without the domain; what is not found is for others', () => {
    expect(zone.dig('web')).toEqual(found('10.32.0.1'));
    expect(zone.dig('only6')).toEqual(found());
    expect(zone.dig('nobody')).toBe('forwarded');
    expect(zone.dig('shop')).toBe('forwarded');
  });

  test('are not confused with names that only look alike', () => {
    expect(zone.dig('web.notweft.local')).toBe('forwarded');
    expect(zone.dig('local')).toBe('forwarded');
    // One label that contains the bytes of the domain's first.
    const message = Buffer.concat([
      query({ name: 'x', type: 'A' }).subarray(0, 12),
      Buffer.from('\x09web\x0aaweft\x05local\0\0\x01\0\x01', 'latin1'),
    ]);
    expect(zone.ask(message)).toBeUndefined();
  });
});

describe('addresses', () => {
  const zone = new Zone(record('web', '10.32.0.1', 'fd32::1'), record('alias', '10.32.0.1'));

  test('are turned back into all their names', () => {
    expect(zone.dig('1.0.32.10.in-addr.arpa', 'PTR')).toEqual(found('alias.weft.local', 'web.weft.local'));
    const reversed = `1.${'0.'.repeat(27)}2.3.d.f`;
    expect(zone.dig(`${reversed}.ip6.arpa`, 'PTR')).toEqual(found('web.weft.local'));
    expect(zone.dig('1.0.32.10.in-addr.arpa', 'A')).toEqual(found());
  });

  test('that have no name are for others', () => {
    for (const name of [
      '2.0.32.10.in-addr.arpa',
      '0.32.10.in-addr.arpa',
      '01.0.32.10.in-addr.arpa',
      '1.0.32.10.ip6.arpa',
    ]) {
      expect(zone.dig(name, 'PTR')).toBe('forwarded');
    }
  });
});

describe('several addresses', () => {
  test('come in rotating order, whole, with any number of them', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.ipV4(), { minLength: 1, maxLength: 20 }), (addresses) => {
        const zone = new Zone(record('web', ...addresses));
        const rounds = addresses.map(() => (zone.dig('web.weft.local') as { data: string[] }).data);
        expect(new Set(rounds.map(([first]) => first)).size).toBe(addresses.length);
        for (const round of rounds) expect(round.toSorted()).toEqual(addresses.toSorted());
      }),
    );
  });

  test('that do not fit are left out, and the answer says so', () => {
    const fifty = Array.from({ length: 50 }, (_, i) => `10.32.1.${i}`);
    const zone = new Zone(record('web', ...fifty));
    const ask = (more = {}, transport: 'udp' | 'tcp' = 'udp') => {
      const bytes = zone.ask(query({ name: 'web.weft.local', type: 'A' }, more), { transport });
      const { answers = [], flag_tc } = decode(bytes ?? Buffer.alloc(0));
      return { size: bytes?.length, count: answers.length, truncated: flag_tc };
    };
    expect(ask()).toEqual({ size: 512, count: 30, truncated: true });
    expect(ask(withEdns(700))).toEqual({ size: 699, count: 41, truncated: true });
    expect(ask(withEdns(1232))).toEqual({ size: 843, count: 50, truncated: false });
    expect(ask({}, 'tcp')).toEqual({ size: 832, count: 50, truncated: false });
  });
});

describe('hosts', () => {
  test('may share a name, whose addresses are those of all that are not down', () => {
    const zone = new Zone(record('web', '10.32.0.1'));
    zone.table.set(OTHER, record('web', '10.32.0.2'));
    expect(zone.dig('web.weft.local')).toMatchObject({ data: ['10.32.0.1', '10.32.0.2'] });
    zone.table.hide(OTHER, true);
    expect(zone.dig('web.weft.local')).toMatchObject({ data: ['10.32.0.1'] });
    zone.table.hide(HOST, true);
    expect(zone.dig('web.weft.local')).toEqual(nothing('NXDOMAIN'));
    expect(zone.dig('2.0.32.10.in-addr.arpa', 'PTR')).toBe('forwarded');
    zone.table.hide(OTHER, false);
    expect(zone.dig('web.weft.local')).toMatchObject({ data: ['10.32.0.2'] });
  });

  test('know names of other networks, but answer those only on them', () => {
    const zone = new Zone(record('web', '10.32.0.1'), { ...record('web', '10.32.0.1'), network: 7 });
    zone.table.remove(HOST, record('web'));
    expect(zone.dig('web.weft.local')).toEqual(nothing('NXDOMAIN'));
    expect(zone.dig('web.weft.local', 'A', 7)).toEqual(found('10.32.0.1'));
  });
});
