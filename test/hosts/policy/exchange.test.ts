import { describe, expect, test } from 'vitest';
import { ask } from '../../../src/cli/client.js';
import { Exchange } from '../../lab/index.js';
import { onLab } from '../../lab/suite.js';
import { PODS } from '../../policies/pods.js';
import { median } from '../../timing/machine.js';
import { enforce, policyOf, policyWorld } from './world.js';

const MINUTE = 60_000;
const BYTES = 64 << 20;

describe.runIf(process.env.WEFT_LONG === '1')('policies that are exchanged again and again', () => {
  const world = onLab(policyWorld);

  test(
    'let nothing pass that both the old and the new one deny, and all that both allow',
    async () => {
      const { a, agents } = world();
      const apps = ['web', 'api'].map((app) => ({ podSelector: { matchLabels: { app } } }));
      const allowing = (from: object[]) =>
        policyOf('db', {
          podSelector: { matchLabels: { app: 'db' } },
          ingress: [{ from, ports: [{ protocol: 'UDP', port: 5353 }] }],
        });
      const states = [allowing(apps), allowing(apps.slice(0, 1))];
      await enforce(world(), states.slice(0, 1));
      const [db] = PODS.db.addresses;
      const floods = Promise.all([
        agents.web.flood(db, 53, MINUTE), // denied by both
        agents.web.flood(db, 5353, MINUTE), // allowed by both
        agents.plain.flood(db, 5353, MINUTE), // denied by both
      ]);
      const end = performance.now() + MINUTE;
      let exchanges = 0;
      for (; performance.now() < end; exchanges += 1) {
        const documents = [{ where: 'a policy', object: states[exchanges % 2] }];
        await ask(a.runDirectory, 'POST', '/policies', { documents });
      }
      const [denied, allowed] = await floods;
      expect(exchanges).toBeGreaterThan(60);
      expect(denied).toBeGreaterThan(10_000);
      expect(await agents.db.received(53)).toEqual({});
      expect(await agents.db.received(5353)).toEqual({ [`::ffff:${PODS.web.addresses[0]}`]: allowed });
    },
    2 * MINUTE,
  );

  test(
    'cost little: 1,000 of them leave nine tenths of the throughput',
    async () => {
      const { pods } = world();
      const many = Array.from({ length: 1_000 }, (_, index) =>
        policyOf(`policy-${index}`, {
          podSelector: { matchLabels: { app: 'db' } },
          ingress: [{ from: [{ podSelector: {} }], ports: [{ port: 6_000 - index }] }],
        }),
      );
      const rate = async () => {
        const exchange = await Exchange.start(pods.api, pods.db, PODS.db.addresses[0], BYTES);
        const [{ seconds }] = await exchange.ends();
        return BYTES / seconds;
      };
      const rates = { without: [] as number[], with: [] as number[] };
      for (let round = 0; round < 5; round += 1) {
        await enforce(world(), []);
        rates.without.push(await rate());
        await enforce(world(), many);
        rates.with.push(await rate());
      }
      console.log(
        'MB/s without and with 1,000 policies',
        median(rates.without) / 1e6,
        median(rates.with) / 1e6,
      );
      expect(median(rates.with)).toBeGreaterThan(0.9 * median(rates.without));
    },
    5 * MINUTE,
  );
});
