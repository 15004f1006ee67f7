import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  addressBytes,
  EndpointDirectory,
  type EndpointRecord,
  endpointKey,
  groupsKey,
} from '../../../src/endpoints/index.js';
import { parsePeerId } from '../../../src/identity/index.js';
import type { Labels } from '../../../src/labels.js';

const [anna, bert, carl] = ['aa', 'bb', 'cc'].map((end) => parsePeerId(end.padStart(16, '0'))) as [
  ReturnType<typeof parsePeerId>,
  ReturnType<typeof parsePeerId>,
  ReturnType<typeof parsePeerId>,
];
const MAC = '02:00:00:00:00:0a';
const KEY = endpointKey(0, MAC);

function record(mobility: number, ...addresses: string[]): EndpointRecord {
  return { mobility, addresses: addresses.map(addressBytes), labels: {} };
}

let told: string[];
let directory: EndpointDirectory;

beforeEach(() => {
  told = [];
  directory = new EndpointDirectory({
    endpoint: ({ network, mac, addresses, peer }) => told.push(`${network} ${mac} [${addresses}] ${peer}`),
    endpointGone: (network, mac) => told.push(`${network} ${mac} gone`),
    moved: (network, mac, address) => told.push(`${network} ${address} moved to ${mac}`),
    groups: (peer, network, groups) => told.push(`${network} ${peer} wants ${groups}`),
  });
});

function news(): string[] {
  return told.splice(0);
}

describe('the directory of endpoints', () => {
  it('tells where a container is, when that changes, and when it is gone', () => {
    directory.put(anna, KEY, record(0, '10.32.0.1/12', 'fd00::1'));
    expect(news()).toEqual([`0 ${MAC} [10.32.0.1,fd00::1] ${anna}`]);
    directory.put(anna, KEY, record(0, '10.32.0.1', 'fd00::1'));
    expect(news()).toEqual([]);
    directory.put(anna, KEY, record(0, '10.32.0.7'));
    expect(news()).toEqual([`0 ${MAC} [10.32.0.7] ${anna}`]);
    directory.put(anna, KEY, undefined);
    expect(news()).toEqual([`0 ${MAC} gone`]);
  });

  it('believes the newest of several who announce a container', () => {
    directory.put(anna, KEY, record(0));
    directory.put(bert, KEY, record(directory.mobilityFor(bert, KEY)));
    expect(news().at(-1)).toBe(`0 ${MAC} [] ${bert}`);
    directory.put(anna, KEY, record(directory.mobilityFor(anna, KEY)));
    expect(news()).toEqual([`0 ${MAC} [] ${anna}`]);
    directory.put(anna, KEY, undefined);
    expect(news()).toEqual([`0 ${MAC} [] ${bert}`]);
  });

  it('does not count up while nobody else announces a container', () => {
    directory.put(anna, KEY, record(3));
    expect(directory.mobilityFor(anna, KEY)).toBe(3);
    expect(directory.mobilityFor(bert, KEY)).toBe(4);
    expect(directory.mobilityFor(bert, endpointKey(1, MAC))).toBe(0);
  });

  it('leaves out what a dead router announced, until it is back', () => {
    directory.put(anna, KEY, record(0, '10.32.0.1'));
    directory.put(bert, KEY, record(1, '10.32.0.1'));
    news();
    directory.setAlive(bert, false);
    expect(news()).toEqual([`0 ${MAC} [10.32.0.1] ${anna}`]);
    directory.setAlive(anna, false);
    expect(news()).toEqual([`0 ${MAC} gone`]);
    directory.setAlive(bert, true);
    expect(news()).toEqual([`0 ${MAC} [10.32.0.1] ${bert}`]);
  });

  it('tells which groups are wanted where, and when that is not known', () => {
    directory.put(anna, groupsKey(2), record(0, '239.1.2.3', 'ff15::1'));
    directory.put(anna, groupsKey(2), record(0));
    directory.setAlive(anna, false);
    directory.setAlive(anna, true);
    directory.put(anna, groupsKey(2), undefined);
    expect(news()).toEqual([
      `2 ${anna} wants 239.1.2.3,ff15::1`,
      `2 ${anna} wants `,
      `2 ${anna} wants null`,
      `2 ${anna} wants `,
      `2 ${anna} wants null`,
    ]);
  });

  it("tells that an address has moved, also when it was nobody's in between", () => {
    const other = endpointKey(0, '02:00:00:00:00:0b');
    const moves = () => news().filter((text) => text.includes('moved'));
    directory.put(anna, KEY, record(0, '10.32.0.1', 'fd00::1'));
    expect(moves()).toEqual([]);
    directory.put(bert, other, record(0, '10.32.0.1', 'fd00::1'));
    expect(moves()).toEqual([]);
    directory.put(anna, KEY, undefined);
    expect(moves()).toEqual([
      '0 10.32.0.1 moved to 02:00:00:00:00:0b',
      '0 fd00::1 moved to 02:00:00:00:00:0b',
    ]);
    directory.put(bert, other, undefined);
    directory.put(carl, KEY, record(0, '10.32.0.1'));
    expect(moves()).toEqual([`0 10.32.0.1 moved to ${MAC}`]);
    directory.put(carl, KEY, record(0));
    directory.put(carl, KEY, record(0, '10.32.0.1'));
    expect(moves()).toEqual([]);
  });

  it('tells who has a MAC and an address', () => {
    const other = endpointKey(0, '02:00:00:00:00:0b');
    directory.put(anna, KEY, record(0, '10.32.0.1'));
    directory.put(bert, other, record(0, '10.32.0.1', '10.32.0.2'));
    expect(directory.find(0, MAC)?.peer).toBe(anna);
    expect(directory.find(1, MAC)).toBeUndefined();
    expect(directory.holders(0, '10.32.0.1').map(({ peer }) => peer)).toEqual([anna, bert]);
    directory.setAlive(anna, false);
    expect(directory.holders(0, '10.32.0.1').map(({ peer }) => peer)).toEqual([bert]);
    expect(directory.holders(0, '10.32.0.3')).toEqual([]);
  });

  it('tells the labels of who has a MAC or an address, without news of where it is when they change', () => {
    const labelled = (labels: Labels) => ({ ...record(0, '10.32.0.1'), labels });
    directory.put(anna, KEY, labelled({ app: 'shop' }));
    expect(news()).toHaveLength(1);
    expect(directory.find(0, MAC)?.labels).toEqual({ app: 'shop' });
    directory.put(anna, KEY, labelled({ app: 'store' }));
    expect(news()).toEqual([]);
    expect(directory.holders(0, '10.32.0.1').map(({ labels }) => labels)).toEqual([{ app: 'store' }]);
    expect(directory.endpoints().map(({ labels }) => labels)).toEqual([{ app: 'store' }]);
    directory.put(bert, KEY, { ...labelled({}), mobility: 1 });
    expect(directory.find(0, MAC)?.labels).toEqual({});
  });

  it('says everything again on request', () => {
    directory.put(anna, KEY, record(0));
    directory.put(bert, groupsKey(0), record(0, '239.1.2.3'));
    const before = news();
    directory.replay();
    expect(news()).toEqual(before);
  });

  it('comes to the same picture in whatever order the news comes', () => {
    const change = fc.record({
      owner: fc.constantFrom(anna, bert, carl),
      mac: fc.constantFrom('02:00:00:00:00:01', '02:00:00:00:00:02'),
      mobility: fc.nat(3),
    });
    fc.assert(
      fc.property(
        fc
          .uniqueArray(change, { selector: ({ owner, mac }) => `${owner}${mac}` })
          .chain((changes) =>
            fc.tuple(
              fc.constant(changes),
              fc.shuffledSubarray(changes, { minLength: changes.length }),
              fc.constantFrom(anna, bert, carl),
            ),
          ),
        ([changes, shuffled, dead]) => {
          const pictures = [changes, shuffled].map((order, index) => {
            const shown = new Map<string, string>();
            const view = new EndpointDirectory({
              endpoint: ({ mac, peer }) => shown.set(mac, peer),
              endpointGone: (_network, mac) => shown.delete(mac),
              moved: () => {},
              groups: () => {},
            });
            if (index === 0) view.setAlive(dead, false);
            for (const { owner, mac, mobility } of order)
              view.put(owner, endpointKey(0, mac), record(mobility));
            view.setAlive(dead, false);
            return [...shown].sort();
          });
          expect(pictures[0]).toEqual(pictures[1]);
        },
      ),
    );
  });
});
