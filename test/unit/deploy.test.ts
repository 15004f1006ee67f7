import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { FAMILIES } from '../../src/api/status/metrics/index.js';
import { dashboardExpressions } from '../dashboard.js';
import { prometheusIsMissing, promtool } from '../prometheus.js';

const PROMETHEUS = fileURLToPath(new URL('../../deploy/prometheus/', import.meta.url));
const isMissing = prometheusIsMissing();
const METRIC = /\b(?:weft|process)_[a-z_0-9]+\b/g;

test.skipIf(isMissing)(
  'the configuration and the alerts for Prometheus are good, and each alert fires when it should',
  async () => {
    for (const [kind, file] of [
      ['config', 'prometheus.yml'],
      ['rules', 'weft-alerts.yml'],
    ] as const) {
      expect(await promtool(['check', kind, join(PROMETHEUS, file)])).toMatchObject({ isGood: true });
    }
    const tested = await promtool(['test', 'rules', join(PROMETHEUS, 'weft-alerts.test.yml')]);
    expect(tested, tested.said).toMatchObject({ isGood: true });
  },
);

test.skipIf(isMissing)('each expression of the dashboard is one that Prometheus understands', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'weft-rules-'));
  try {
    const file = join(directory, 'dashboard.yml');
    const rules = dashboardExpressions().map((expr, i) => ({ record: `dashboard:panel:${i}`, expr }));
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] })); // JSON is YAML
    const checked = await promtool(['check', 'rules', file]);
    expect(checked, checked.said).toMatchObject({ isGood: true });
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('alerts and dashboard speak of metrics that there are', () => {
  const alerts = readFileSync(join(PROMETHEUS, 'weft-alerts.yml'), 'utf8');
  const inAlerts = [...alerts.matchAll(/expr: (>\n(?: {10}.*\n)+|.*)/g)].map(([expression]) => expression);
  const names = [...inAlerts, ...dashboardExpressions()].flatMap((text) => text.match(METRIC) ?? []);
  const known = new Set(FAMILIES.map(({ name }) => name));
  expect(inAlerts.length).toBeGreaterThan(10);
  expect(names.filter((name) => !known.has(name))).toEqual([]);
});
