import { decode, encode } from 'dns-packet';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  announcementMarks,
  type Network,
  networkFromToken,
  newNetwork,
  parseSecret,
} from '../../../../src/identity/index.js';
import { mdnsSource } from '../../../../src/plugins/discovery/sources/index.js';
import {
  isAsked,
  markedText,
  readAnnouncement,
  recordsOf,
} from '../../../../src/plugins/discovery/sources/mdns/announcement.js';
import { encodeAnswer, readMessage } from '../../../../src/plugins/discovery/sources/mdns/message.js';
import { Neighbours } from '../../../../src/plugins/discovery/sources/mdns/neighbours.js';
import type { Place } from '../../../../src/plugins/discovery/sources/mdns/places.js';
import { until } from '../../../lab/until.js';
import { bytesOf, protocolVectors } from '../../identity/vectors.js';
import { contextOf } from './compliance.js';
import { LOOPBACK, Neighbourhood, newService } from './mdns.js';

const PEER = '00aa00aa00aa00aa';
const OTHER = '00bb00bb00bb00bb';
const SELF = { peer: PEER, port: 6783, addresses: ['192.0.2.250', '2001:db8::1'] };
const announcement = (ttl = 120) => encodeAnswer(recordsOf(SELF, 'weft', 'abc', ttl));
const heardIn = (bytes: Buffer) => {
  const message = readMessage(bytes);
  return message && readAnnouncement(message, 'weft');
};

describe('messages of multicast DNS', () => {
  test('are what others read', () => {
    const { flag_aa, id, answers = [] } = decode(announcement());
    expect({ flag_aa, id }).toEqual({ flag_aa: true, id: 0 });
    const name = `${PEER}._weft._tcp.local`;
    expect(answers).toMatchObject([
      { type: 'PTR', name: '_weft._tcp.local', ttl: 120, data: name, flush: false },
      { type: 'SRV', name, data: { port: 6783, target: `${PEER}.local` }, flush: true },
      { type: 'TXT', name, data: [Buffer.from('mark=abc')], flush: true },
      { type: 'A', name: `${PEER}.local`, data: '192.0.2.250', flush: true },
      { type: 'AAAA', name: `${PEER}.local`, data: '2001:db8::1', flush: true },
    ]);
  });

  test('are read as they are written, also those that say goodbye', () => {
    expect(heardIn(announcement())).toEqual({ ...SELF, lifetime: 120, mark: 'abc' });
    expect(heardIn(announcement(0))).toMatchObject({ peer: PEER, lifetime: 0 });
  });

  test('are read where their names are compressed, in whatever letters', () => {
    const all = Buffer.from('\x05_WEFT\x04_tcp\x05local\0', 'latin1');
    const [type, ttl] = [(number: number) => Buffer.of(0, number, 0, 1), Buffer.of(0, 0, 0, 120)];
    const record = (name: Buffer, number: number, data: Buffer) =>
      Buffer.concat([name, type(number), ttl, Buffer.of(0, data.length), data]);
    const instance = Buffer.concat([Buffer.of(16), Buffer.from(PEER), Buffer.of(0xc0, 12)]);
    const header = Buffer.from('000084000000000400000000', 'hex');
    const pointer = record(all, 12, instance);
    const toInstance = Buffer.of(0xc0, 12 + all.length + 10);
    const srv = record(toInstance, 33, Buffer.from('000000001a7f01680 0'.replace(' ', ''), 'hex'));
    const bytes = Buffer.concat([
      header,
      pointer,
      srv,
      record(toInstance, 16, Buffer.of(0)),
      record(Buffer.from('\x01H\0', 'latin1'), 1, Buffer.of(192, 0, 2, 9)),
    ]);
    expect(heardIn(bytes)).toEqual({
      peer: PEER,
      port: 6783,
      addresses: ['192.0.2.9'],
      lifetime: 120,
      mark: undefined,
    });
  });

  test('are nothing at all where they are garbage, and cost no time', () => {
    const read = (bytes: Uint8Array) => {
      const message = readMessage(Buffer.from(bytes));
      return message === undefined || message.records.length <= 256;
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), read));
    const damage = fc.array(fc.tuple(fc.nat(announcement().length - 1), fc.nat(255)), { minLength: 1 });
    fc.assert(
      fc.property(damage, (places) => {
        const bytes = announcement();
        for (const [at, value] of places) bytes[at] = value;
        return read(bytes);
      }),
    );
    // A name that begins with a label and goes on with itself.
    const circle = Buffer.from('000084000001000000000000' + '0161c00c' + '000c0001', 'hex');
    const began = performance.now();
    expect(readMessage(circle)).toBeUndefined();
    expect(performance.now() - began).toBeLessThan(50);
  });

  test('name no address where no other host can be', () => {
    const addresses = ['127.0.0.1', '224.0.0.1', '0.0.0.0', 'fe80::1', '::1'];
    expect(heardIn(encodeAnswer(recordsOf({ ...SELF, addresses }, 'weft', 'abc', 120)))).toBeUndefined();
  });

  test('ask for a router unless they know it for half its time', () => {
    const query = (ttl?: number) => {
      const name = '_weft._tcp.local';
      const data = `${PEER}.${name}`;
      const answers = ttl === undefined ? [] : [{ type: 'PTR' as const, name, ttl, data }];
      return readMessage(encode({ type: 'query', questions: [{ type: 'PTR', name }], answers }));
    };
    const asked = (ttl?: number) => isAsked(query(ttl) ?? expect.fail('not read'), PEER, 'weft');
    expect([asked(), asked(59), asked(60)]).toEqual([true, true, false]);
    expect(isAsked(query() ?? expect.fail('not read'), PEER, 'lab')).toBe(false);
    expect(isAsked(query(60) ?? expect.fail('not read'), OTHER, 'weft')).toBe(true);
  });
});

test('the mark of an announcement is that of the vectors', () => {
  const vector = protocolVectors('15');
  const network = networkFromToken({ secret: parseSecret(bytesOf(vector('secret'))), addresses: [] });
  const self = { peer: '8a88e3dd7409f195', port: 6783, addresses: ['2001:db8::1', '192.0.2.1'] };
  expect(markedText('weft', self)).toBe(vector('text'));
  expect(announcementMarks(network, vector('text'))).toEqual([vector('mark')]);
});

describe('neighbours', () => {
  const heard = (peer: string, lifetime = 120) => ({ ...SELF, peer, lifetime, mark: undefined });

  test('are asked for again at 80, 85, 90 and 95 hundredths of their time, then forgotten', () => {
    const neighbours = new Neighbours();
    neighbours.hear(heard(OTHER), 0);
    const asked: number[] = [];
    for (let now = neighbours.dueAt; now < 120_000; now = neighbours.dueAt) {
      asked.push(Math.round(now));
      neighbours.asked(now);
    }
    expect(asked).toEqual([96_000, 102_000, 108_000, 114_000]);
    neighbours.forget(120_000);
    expect(neighbours.targets).toEqual([]);
  });

  test('are 256 at most, and those that are known are not driven out', () => {
    const neighbours = new Neighbours();
    neighbours.hear(heard(OTHER), 0);
    for (let i = 0; i < 1_000; i += 1)
      neighbours.hear(heard(i.toString(16).padStart(16, '0'), 2 ** 32 - 1), 0);
    expect(neighbours.known(1)).toHaveLength(256);
    expect(neighbours.known(1)).toContainEqual({ peer: OTHER, left: 119 });
    neighbours.forget(4_500_000);
    expect(neighbours.targets).toEqual([]);
  });
});

describe('routers on one link', () => {
  let neighbourhood: Neighbourhood;
  let ending: AbortController;

  beforeEach(async () => {
    neighbourhood = new Neighbourhood(newService());
    await neighbourhood.start();
    ending = new AbortController();
  });

  afterEach(() => {
    ending.abort();
    neighbourhood.stop();
  });

  /** A router, followed until the test ends. */
  function start(peer: string, address: string, network: Network, places?: () => Place[]) {
    const router = { targets: [] as readonly string[], stop: async () => {} };
    const context = contextOf({ peer, marks: (text) => announcementMarks(network, text) });
    const place = { ...LOOPBACK, addresses: [address] };
    const stopping = new AbortController();
    const signal = AbortSignal.any([ending.signal, stopping.signal]);
    const running = (async () => {
      const source = mdnsSource('mdns:', neighbourhood.service, async () => places?.() ?? [place], context);
      for await (const snapshot of source.follow(signal)) router.targets = snapshot.targets;
    })();
    router.stop = () => {
      stopping.abort();
      return running;
    };
    return router;
  }

  const announced = (peer: string) =>
    until(`${peer} told of itself`, () =>
      neighbourhood.heard.some(({ answers }) =>
        answers?.some(({ name, type }) => type === 'SRV' && name.startsWith(peer)),
      ),
    );

  test('find those of their network and no others, until they say goodbye', async () => {
    const [network, others] = [newNetwork(), newNetwork()];
    const a = start(PEER, '192.0.2.1', network);
    const stranger = start('00cc00cc00cc00cc', '192.0.2.3', others);
    const b = start(OTHER, '192.0.2.2', network);
    await until('they found each other', () => a.targets.length + b.targets.length === 2);
    expect([a.targets, b.targets]).toEqual([['192.0.2.2:6783'], ['192.0.2.1:6783']]);
    await announced('00cc');
    await b.stop();
    await until('it is gone', () => a.targets.length === 0);
    expect(stranger.targets).toEqual([]);
  });

  test('tell strangers nothing of their network, and nothing that two of them have in common', async () => {
    const network = newNetwork();
    start(PEER, '192.0.2.1', network);
    start(OTHER, '192.0.2.2', network);
    await Promise.all([announced(PEER), announced(OTHER)]);
    const texts = neighbourhood.heard.flatMap(({ answers }) =>
      (answers ?? []).flatMap((answer) => (answer.type === 'TXT' ? [String(answer.data)] : [])),
    );
    expect(new Set(texts).size).toBe(2);
    for (const text of texts) expect(text).toMatch(/^mark=[0-9a-f]{32}$/);
    expect(JSON.stringify(neighbourhood.heard)).not.toContain(network.id);
  });

  test('do not believe what a stranger repeats of a member with another address or port', async () => {
    const network = newNetwork();
    const a = start(PEER, '192.0.2.1', network);
    start(OTHER, '192.0.2.2', network);
    await until('it was found', () => a.targets.length === 1);
    const [mark] = announcementMarks(network, `${neighbourhood.service} ${OTHER} 6783 192.0.2.2`);
    for (const target of ['192.0.2.66:6783', '192.0.2.2:22'])
      neighbourhood.tell(target, { peer: OTHER, text: `mark=${mark}` });
    const [third] = announcementMarks(network, `${neighbourhood.service} 00dd00dd00dd00dd 6783 192.0.2.4`);
    neighbourhood.tell('192.0.2.4:6783', { peer: '00dd00dd00dd00dd', text: `mark=${third}` });
    await until('the next one was heard', () => a.targets.length === 2);
    expect(a.targets).toEqual(['192.0.2.2:6783', '192.0.2.4:6783']);
  });

  test('of a password have no mark that could be tried on passwords, and dial on their link alone', async () => {
    const a = start(PEER, '192.0.2.1', { ...newNetwork(), mode: 'password' });
    await announced(PEER);
    expect(JSON.stringify(neighbourhood.heard)).not.toContain(Buffer.from('mark').toJSON().data.join());
    neighbourhood.tell('198.51.100.1:6783');
    neighbourhood.tell('192.0.2.5:6783', { text: 'mark=00' });
    neighbourhood.tell('192.0.2.6:6783');
    await until('the last one was heard', () => a.targets.length > 0);
    expect(a.targets).toEqual(['192.0.2.6:6783']);
  });

  test('ask once a second at most, however short the lives of those that they hear of', async () => {
    const a = start(PEER, '192.0.2.1', { ...newNetwork(), mode: 'password' });
    const questions = () => neighbourhood.heard.filter(({ type }) => type === 'query').length;
    await until('it asked', () => questions() > 0);
    for (let i = 1; i <= 50; i += 1) neighbourhood.tell(`192.0.2.${i + 100}:6783`, { ttl: 1 });
    await until('they were heard', () => a.targets.length === 50);
    const before = questions();
    await until('they are gone', () => a.targets.length === 0);
    expect(questions() - before).toBeLessThan(4);
  });

  test('go on when an interface changes while they are asked, and when another cannot be used', async () => {
    const unusable = { name: 'none0', addresses: ['192.0.2.7'], subnets: ['192.0.2.7/32'] };
    let address = '192.0.2.1';
    const network: Network = { ...newNetwork(), mode: 'password' };
    start(PEER, address, network, () => [unusable, { ...LOOPBACK, addresses: [address] }]);
    await announced(PEER);
    for (let i = 2; i < 6; i += 1) {
      neighbourhood.ask();
      address = `192.0.2.${i}`;
      await until('it told of its new address', () =>
        JSON.stringify(neighbourhood.heard).includes(`"${address}"`),
      );
    }
  });

  test('answer many questions with one message', async () => {
    start(PEER, '192.0.2.1', newNetwork());
    await announced(PEER);
    const answers = () => neighbourhood.heard.filter(({ type }) => type === 'response').length;
    await until('it told of itself twice', () => answers() === 2);
    for (let i = 0; i < 200; i += 1) neighbourhood.ask();
    await until('it answered', () => answers() > 2);
    neighbourhood.ask(); // it is answered after those before it
    await until('it answered again', () => answers() > 3);
    expect(answers()).toBeLessThan(8);
  });
});
