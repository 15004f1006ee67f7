import { describe, expect, test } from 'vitest';
import { readiness } from '../../../../src/api/status/health.js';
import { connection, crowd, member, observation } from './observations.js';

describe('readiness', () => {
  const healthy = observation();

  test('is there for a router that is alone, and for one of many', () => {
    expect(readiness(healthy)).toEqual({ ready: true, reasons: [], warnings: [] });
    expect(readiness(observation(crowd(3)))).toEqual({ ready: true, reasons: [], warnings: [] });
  });

  test('is missing with the reason in a sentence: forwarder, address space, names, what is broken on the host', () => {
    const { status, dns, ipam } = healthy;
    const seen = {
      ...healthy,
      status: { ...status, forwarder: { ...status.forwarder, connected: false } },
      faults: ['the bridge weft is gone'],
      dns: { ...dns, waiting: [{ address: '172.17.0.1:53', reason: 'this host does not have the address' }] },
      ipam: { ...ipam, founders: [], note: 'waiting for host-b' },
    };
    expect(readiness(seen)).toEqual({
      ready: false,
      reasons: [
        'DNS does not answer at 172.17.0.1:53: this host does not have the address',
        'the forwarder is not running, it is being started again',
        'there is no address space yet: waiting for host-b',
        'the bridge weft is gone',
      ],
      warnings: [],
    });
  });

  test('is missing while this router has no addresses and nobody who has some is reached', () => {
    const { ipam } = healthy;
    const [owner] = ipam.owners;
    if (owner === undefined) throw new Error('somebody owns addresses');
    const seen = (other: Partial<typeof owner>) =>
      readiness({ ...healthy, ipam: { ...ipam, owned: 0, owners: [{ ...owner, ...other }] } });
    expect(seen({ reachable: true }).ready).toBe(true);
    for (const other of [{ reachable: false }, { heir: '00000000000000aa' }]) {
      expect(seen(other)).toMatchObject({
        ready: false,
        reasons: [expect.stringMatching(/^no address can be given/)],
      });
    }
  });

  test('does not depend on whether somebody can watch', () => {
    const faults = ['metrics are not served at 127.0.0.1:6782: another program listens there'];
    expect(readiness({ ...healthy, status: { ...healthy.status, faults } }).ready).toBe(true);
  });

  test('stays when no peer is reached, which is told', () => {
    const lost = connection('0b', { path: 'none', udp: 'down' });
    expect(readiness(observation({ peers: [member('0b'), member('0c')], connections: [lost] }))).toEqual({
      ready: true,
      reasons: [],
      warnings: ['peers: 0 of 2 reachable'],
    });
  });
});
