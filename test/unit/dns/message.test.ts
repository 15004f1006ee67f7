import { decode } from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { adaptAnswer, answersQuery, encodeRefusal, type Query, readQuery } from '../../../src/dns/message.js';
import { query, record, withEdns, Zone } from './zone.js';

const zone = new Zone(record('web', '10.32.0.1', '10.32.0.2', 'fd32::1'));

/** What the server does with a message; throws when it would have crashed. */
function serve(message: Buffer): Buffer | undefined {
  const parsed = readQuery(message);
  if (parsed === undefined) return undefined;
  if (typeof parsed === 'number') return encodeRefusal(message, parsed);
  return zone.answers.answer(parsed, 0, 'udp');
}

function rcode(response: Buffer | undefined): number | undefined {
  return response && response.readUInt8(3) & 0xf;
}

const name = fc.constantFrom(
  'web.weft.local',
  'WEB',
  'no.weft.local',
  'weft.local',
  '1.0.32.10.in-addr.arpa',
  'a.b',
);
const type = fc.constantFrom('A', 'AAAA', 'PTR', 'MX', 'SOA', 'ANY', 'AXFR') as fc.Arbitrary<'A'>;
const real = fc
  .tuple(name, type, fc.option(fc.integer({ min: 0, max: 65_535 })))
  .map(([name, type, size]) => query({ name, type }, size === null ? {} : withEdns(size)));

describe('any bytes', () => {
  test('are answered with a readable response that has their id, or not at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const response = serve(Buffer.from(bytes));
        if (response === undefined) return;
        decode(response);
        expect(response.readUInt16BE(0)).toBe(Buffer.from(bytes).readUInt16BE(0));
        expect(response.length).toBeLessThanOrEqual(4096);
      }),
      { numRuns: 20_000 },
    );
  });

  test('made of real queries by changing, cutting and adding some, too', () => {
    const changes = fc.array(fc.tuple(fc.nat(80), fc.integer({ min: 0, max: 255 })), { maxLength: 4 });
    fc.assert(
      fc.property(real, changes, fc.nat(80), fc.uint8Array({ maxLength: 20 }), (valid, flips, cut, tail) => {
        const message = Buffer.concat([valid.subarray(0, Math.max(0, valid.length - (cut % 12))), tail]);
        for (const [at, byte] of flips) if (at < message.length) message[at] = byte;
        const response = serve(message);
        if (response !== undefined) decode(response);
      }),
      { numRuns: 20_000 },
    );
  });
});

describe('a query', () => {
  test('gets its question back byte for byte', () => {
    const message = query({ name: 'wEb.WeFt.LoCaL', type: 'A' });
    expect(serve(message)?.subarray(12, message.length)).toEqual(message.subarray(12));
  });

  test('with something else than one question is refused as malformed', () => {
    const message = query({ name: 'web.weft.local', type: 'A' });
    for (const count of [0, 2, 65_535]) {
      message.writeUInt16BE(count, 4);
      expect(rcode(serve(message))).toBe(1);
    }
  });

  test('of another kind is refused as unknown', () => {
    const message = query({ name: 'web.weft.local', type: 'A' });
    message.writeUInt16BE(5 << 11, 2);
    expect(rcode(serve(message))).toBe(4);
  });

  test('that is a response is not answered, so that two servers never talk for ever', () => {
    const message = query({ name: 'web.weft.local', type: 'A' });
    message.writeUInt16BE(0x8180, 2);
    expect(serve(message)).toBeUndefined();
  });

  test('of a later EDNS than ours is told so', () => {
    const message = query({ name: 'web.weft.local', type: 'A' }, withEdns(1232));
    message.writeUInt8(1, message.length - 5);
    const { additionals } = decode(serve(message) ?? Buffer.alloc(0));
    expect(additionals).toMatchObject([{ type: 'OPT', extendedRcode: 1 }]);
  });

  test('with a name longer than 255 bytes, or with a pointer in it, is malformed', () => {
    const label = `\x3f${'a'.repeat(63)}`;
    const header = query({ name: 'x', type: 'A' }).subarray(0, 12);
    for (const name of [`${label.repeat(4)}\0`, `${label.repeat(100)}\0`, '\xc0\x0c', '\x40abc\0']) {
      expect(readQuery(Buffer.concat([header, Buffer.from(`${name}\0\x01\0\x01`, 'latin1')]))).toBe(1);
    }
  });
});

describe('the response of another server', () => {
  const asked = readQuery(query({ name: 'example.test', type: 'A' })) as Query;
  const response = (more = {}) =>
    Buffer.from(
      query({ name: 'EXAMPLE.test', type: 'A' }, { type: 'response' as never, flags: 0x180, ...more }),
    );

  test('counts when id and question are those of the query, in whatever case', () => {
    expect(answersQuery(response(), asked)).toBe(true);
  });

  test('does not count when one of them is not', () => {
    expect(answersQuery(response({ id: 4712 }), asked)).toBe(false);
    expect(answersQuery(query({ name: 'example.test', type: 'A' }), asked)).toBe(false);
    expect(answersQuery(response({ questions: [{ name: 'example.tesT', type: 'AAAA' }] }), asked)).toBe(
      false,
    );
    expect(answersQuery(response({ questions: [{ name: 'exbmple.test', type: 'A' }] }), asked)).toBe(false);
    expect(answersQuery(response({ questions: [] }), asked)).toBe(false);
    expect(answersQuery(Buffer.from('x'), asked)).toBe(false);
  });

  test('of any bytes is taken or not, and what is handed on fits', () => {
    const valid = response();
    const changes = fc.array(fc.tuple(fc.nat(80), fc.integer({ min: 0, max: 255 })), { maxLength: 4 });
    fc.assert(
      fc.property(changes, fc.uint8Array({ maxLength: 600 }), (flips, tail) => {
        const bytes = Buffer.concat([valid, tail]);
        for (const [at, byte] of flips) if (at < bytes.length) bytes[at] = byte;
        for (const cut of [bytes, bytes.subarray(0, tail.length % valid.length)]) {
          if (!answersQuery(cut, asked)) continue;
          expect(adaptAnswer(cut, asked, 512).length).toBeLessThanOrEqual(512);
        }
      }),
      { numRuns: 10_000 },
    );
  });

  test('is handed on with the id and the spelling of who asked, and cut when it is too long', () => {
    const answers = Array.from({ length: 40 }, (_, i) => ({
      name: 'example.test',
      type: 'A' as const,
      data: `192.0.2.${i}`,
    }));
    const whole = adaptAnswer(response({ answers, id: 1 }), asked, 4096);
    expect(whole.subarray(0, 2)).toEqual(asked.message.subarray(0, 2));
    expect(decode(whole)).toMatchObject({ questions: [{ name: 'example.test' }], flag_tc: false });
    expect(decode(whole).answers).toHaveLength(40);
    expect(decode(adaptAnswer(response({ answers }), asked, 512))).toMatchObject({
      answers: [],
      flag_tc: true,
    });
  });
});
