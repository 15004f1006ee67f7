import { expect, test } from 'vitest';
import {
  Answers,
  addressBytes,
  decodeKey,
  encodeKey,
  NameTable,
  nameAddresses,
  wireKey,
} from '../../../src/dns/index.js';
import { readQuery } from '../../../src/dns/message.js';
import { OwnedRecords } from '../../../src/gossip/index.js';
import { identityFromSeed } from '../../../src/identity/index.js';
import { query } from './zone.js';

const RECORDS = 20_000;
const CHANGES_A_SECOND = 200;
const SECONDS = 10;
/** The mesh collects changes for 100 ms. */
const FLUSHES_A_SECOND = 10;

const keyOf = (i: number) => encodeKey({ network: 0, name: `c${i}`, container: `c${i}` });
const addressOf = (i: number, round: number) => `10.${32 + round}.${i >> 8}.${i & 255}`;

function router(seed: number) {
  const identity = identityFromSeed(Buffer.alloc(32, seed));
  const table = new NameTable();
  const records = new OwnedRecords({
    name: 'names',
    identity,
    now: () => 1000,
    value: nameAddresses,
    limits: { owner: 64 * 1024 * 1024 },
  });
  records.on('change', (owner, key, addresses) => {
    if (addresses === undefined) table.remove(owner, decodeKey(key));
    else table.set(owner, { ...decodeKey(key), addresses });
  });
  return { table, records };
}

test('20,000 names of one host are taken in, and 200 changes a second keep a router busy for less than a second', () => {
  const [here, there] = [router(1), router(2)];
  const send = () => {
    for (const delta of here.records.takeDeltas())
      there.records.merge(delta, identityFromSeed(Buffer.alloc(32, 1)).peer);
  };
  for (let i = 0; i < RECORDS; i += 1) here.records.set(keyOf(i), [addressBytes(addressOf(i, 0))]);
  send();
  expect(there.table.size).toBe(RECORDS);

  const before = process.cpuUsage();
  for (let flush = 0; flush < SECONDS * FLUSHES_A_SECOND; flush += 1) {
    for (let change = 0; change < CHANGES_A_SECOND / FLUSHES_A_SECOND; change += 1) {
      const i = (flush * 197 + change) % RECORDS;
      if (change % 4 === 0) here.records.remove(keyOf(i));
      else here.records.set(keyOf(i), [addressBytes(addressOf(i, 1 + (flush % 9)))]);
    }
    send();
  }
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1e6 / SECONDS).toBeLessThan(1); // both routers together

  expect([...there.table.entries()].length).toBe([...here.table.entries()].length);
  const answers = new Answers({ table: there.table, domain: 'weft.local', ttl: 1 });
  for (let i = 0; i < RECORDS; i += 97) {
    const asked = readQuery(query({ name: `c${i}.weft.local`, type: 'A' }));
    if (typeof asked !== 'object') throw new Error('the query is not one');
    const expected = here.table.network(0).find(wireKey(`c${i}`));
    const response = answers.answer(asked, 0, 'udp');
    expect(response?.readUInt16BE(6)).toBe(expected?.ipv4.length ?? 0);
    if (expected !== undefined) expect(response?.subarray(-4)).toEqual(expected.ipv4[0]);
  }
}, 120_000);
