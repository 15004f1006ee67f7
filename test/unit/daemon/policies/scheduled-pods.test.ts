import { describe, expect, test } from 'vitest';
import { ScheduledPods } from '../../../../src/daemon/policies/scheduled-pods.js';
import type { ScheduledPod } from '../../../../src/daemon/policies/scheduler.js';

const ADDRESS = '10.32.0.7';
const podOf = (name: string, createdAt: number, ...addresses: string[]): ScheduledPod => ({
  ...{ namespace: 'default', name, uid: `uid of ${name}`, createdAt },
  ...{ labels: {}, addresses, namedPorts: [] },
});
const labelled = (name: string) => ({ 'io.kubernetes.pod.uid': `uid of ${name}` });

const found = (pods: readonly ScheduledPod[], labels = {}, isOurs = true, addresses = [ADDRESS]) =>
  new ScheduledPods(pods).find({ addresses, labels, isOurs })?.name;

describe('the pod of an interface', () => {
  test('is the newest that lives of those that have its address, in whichever order they came', () => {
    const pods = [podOf('old', 1, ADDRESS), podOf('new', 3, ADDRESS), podOf('middle', 2, ADDRESS)];
    expect(found(pods)).toBe('new');
    expect(found([...pods].reverse())).toBe('new');
    const twins = [podOf('a', 1, ADDRESS), podOf('b', 1, ADDRESS)];
    expect(found(twins)).toBe(found([...twins].reverse()));
  });

  test('is the one that our own runtime said, before that one has an address, and whoever has the address still', () => {
    const pods = [podOf('old', 1, ADDRESS), podOf('new', 2)];
    expect(found(pods, labelled('new'))).toBe('new');
    expect(found(pods, labelled('unknown'))).toBeUndefined();
  });

  test('is not what another host says where the scheduler says otherwise', () => {
    const pods = [podOf('front', 1, ADDRESS), podOf('secret', 2, '10.32.0.8')];
    expect(found(pods, labelled('front'), false)).toBe('front');
    expect(found(pods, labelled('secret'), false)).toBeUndefined();
    expect(found(pods, {}, false)).toBe('front');
  });
});

test('pods that no host announced yet are known by their addresses', () => {
  const pods = new ScheduledPods([podOf('a', 1, ADDRESS, 'fd32::7'), podOf('b', 1, '10.32.0.8')]);
  const elsewhere = pods.elsewhere((address) => address === ADDRESS);
  expect(elsewhere.map(({ name, addresses }) => [name, addresses])).toEqual([
    ['a', ['fd32::7']],
    ['b', ['10.32.0.8']],
  ]);
});
