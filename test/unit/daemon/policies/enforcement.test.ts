import { expect, test } from 'vitest';
import { AllPolicies } from '../../../../src/daemon/policies/all-policies.js';
import { Enforcement } from '../../../../src/daemon/policies/enforcement.js';
import { Pods } from '../../../../src/daemon/policies/pods.js';
import { NO_SCHEDULER } from '../../../../src/daemon/policies/scheduler.js';
import type { PolicyFilter } from '../../../../src/hostnet/index.js';
import { NETWORK_POLICIES } from '../../../../src/plugins/kubernetes/network-policies.js';
import { PolicyBook } from '../../../../src/policy/index.js';
import { policy } from '../../../kubernetes/shapes.js';
import { until } from '../../../lab/until.js';

/** A kernel that only counts how often rules are written. */
function enforcement() {
  const written = { count: 0 };
  const filter = {
    isWritten: false,
    apply: async () => {
      written.count += 1;
    },
  } as unknown as PolicyFilter;
  const deny = NETWORK_POLICIES.read(policy('deny', { podSelector: {} }));
  const scheduler = { ...NO_SCHEDULER, policies: deny === undefined ? [] : [deny] };
  const made = new Enforcement({
    filter,
    policies: new AllPolicies(new PolicyBook(), scheduler),
    pods: new Pods({ all: () => [], isHost: () => false }, scheduler),
    log: {} as never,
  });
  return { made, written };
}

test('rules of the run before stay until the containers of that run are known, then follow what changes', async () => {
  const { made, written } = enforcement();
  made.changed();
  expect(made.isPending).toBe(false);
  await made.begin();
  expect(written.count).toBe(1);
  made.changed();
  made.changed();
  await until('that is in force', () => !made.isPending);
  expect(written.count).toBe(2);
  expect(made.lag.count).toBe(1);
  expect(made.lag.last).toBeGreaterThan(0.05);
});
