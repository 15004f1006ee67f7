import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { Exposures, type ExposuresOptions } from '../../../../src/daemon/exposures/exposures.js';
import { stateFiles } from '../../../../src/daemon/state/index.js';
import { WeftError } from '../../../../src/errors.js';
import { parseCidr } from '../../../../src/hostnet/index.js';

let directory: string;
let onBridge: Set<string>;
let passages: ExposedPassage[];
let taken: Set<string>;
let named: Set<string>;
let nextFailure: Error | undefined;
let admitted: string[];
let events: EventEmitter;

type ExposedPassage = Parameters<ExposuresOptions['firewall']['apply']>[0];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'weft-exposures-'));
  [onBridge, passages, taken, named, nextFailure] = [new Set(), [], new Set(), new Set(), undefined];
  [admitted, events] = [[], new EventEmitter()];
});
afterEach(() => rmSync(directory, { recursive: true }));

function start(): Exposures {
  return new Exposures({
    firewall: {
      apply: async (passage) => void passages.push(passage),
      admit: async ({ bridges }) => void admitted.push(...bridges),
      isIntact: async () => true,
      remove: async () => {},
      rewrite: async () => {},
    },
    host: {
      exposeAddresses: async (_bridge, cidrs) => {
        if (nextFailure !== undefined) throw nextFailure;
        for (const { text } of cidrs) onBridge.add(text);
      },
      hideAddresses: async (_bridge, cidrs) => {
        for (const { text } of cidrs) onBridge.delete(text);
      },
      addressesOn: () => onBridge,
      forwardingFlaws: () => [],
      forwardPackets: async () => {},
      hasRoute: () => true,
      restoreRoute: async () => {},
    },
    networks: Object.assign(events, {
      bridge: () => 'weft',
      number: () => 0,
      bridges: () => ['weft'],
      segment: async () => ({ bridge: 'weft', number: 0 }),
      settle: () => {},
    }) as unknown as ExposuresOptions['networks'],
    addresses: {
      take: async (_holder, requests) =>
        requests.map((request) => {
          const cidr = request.kind === 'fixed' ? request.cidr : '10.32.0.1/12';
          taken.add(cidr);
          return cidr;
        }),
      release: async (_holder, addresses) => {
        for (const address of addresses) taken.delete(address);
      },
      reclaim: (_holder, _target, addresses) => {
        for (const address of addresses) taken.add(address);
      },
      meant: (request, _network, addresses) =>
        request.kind === 'fixed' ? addresses.filter((address) => address === request.cidr) : addresses,
    },
    file: stateFiles(directory).exposures,
    linkLocal: parseCidr('fe80::ff:fe00:1/64'),
    names: {
      add: async ({ name }: { name: string }) => void named.add(name),
      remove: async ({ name }: { name: string }) => void named.delete(name),
    } as unknown as ExposuresOptions['names'],
  });
}

test('what a bridge passes on is let past Docker as soon as the bridge is there', async () => {
  start();
  events.emit('bridges');
  await expect.poll(() => admitted).toEqual(['weft']);
});

describe('a host that is exposed', () => {
  it('has the address on the bridge, rules for it, and its name', async () => {
    await start().expose({ addresses: ['10.32.0.9/12'], name: 'gateway' });
    expect(onBridge).toEqual(new Set(['10.32.0.9/12']));
    expect(named).toEqual(new Set(['gateway']));
    expect(passages.at(-1)?.exposed).toEqual([{ bridge: 'weft', subnet: '10.32.0.0/12', masquerade: true }]);
  });

  it('is so again after a restart, and claims its address before', async () => {
    await start().expose({ addresses: ['10.32.0.9/12'] });
    onBridge.clear();
    taken.clear();
    const again = start();
    await again.reclaim();
    expect(taken).toEqual(new Set(['10.32.0.9/12']));
    await again.restore();
    expect(onBridge).toEqual(new Set(['10.32.0.9/12']));
    expect(again.list()).toMatchObject([{ address: '10.32.0.9/12' }]);
  });

  it('is not so when the kernel refuses the address: nothing is left, not even on the disk', async () => {
    const exposures = start();
    nextFailure = new WeftError('command-failed', 'ip failed');
    await expect(exposures.expose({ addresses: ['10.32.0.9/12'] })).rejects.toMatchObject({
      code: 'command-failed',
    });
    nextFailure = undefined;
    expect(exposures.list()).toEqual([]);
    expect(taken).toEqual(new Set());
    const again = start();
    await again.restore();
    expect(again.list()).toEqual([]);
  });

  it('is hidden by its address, and others stay', async () => {
    const exposures = start();
    await exposures.expose({ addresses: ['10.32.0.9/12'], name: 'gateway' });
    await exposures.expose({ addresses: ['10.32.0.10/12'] });
    await exposures.hide({ addresses: ['10.32.0.9/12'] });
    expect(onBridge).toEqual(new Set(['10.32.0.10/12']));
    expect(taken).toEqual(new Set(['10.32.0.10/12']));
    expect(named).toEqual(new Set());
    await expect(exposures.hide({ addresses: ['10.32.0.9/12'] })).rejects.toMatchObject({
      code: 'not-exposed',
    });
  });

  it('has a link-local address on the bridge for as long as it has one of IPv6', async () => {
    const exposures = start();
    await exposures.expose({ addresses: ['10.32.0.9/12'] });
    await exposures.expose({ addresses: ['fd32::9/64'] });
    await exposures.expose({ addresses: ['fd32::10/64'] });
    expect(onBridge).toContain('fe80::ff:fe00:1/64');
    await exposures.hide({ addresses: ['fd32::9/64'] });
    expect(onBridge).toContain('fe80::ff:fe00:1/64');
    await exposures.hide({ addresses: ['fd32::10/64'] });
    expect(onBridge).toEqual(new Set(['10.32.0.9/12']));
  });
});
