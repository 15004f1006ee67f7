import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { onLab } from '../../lab/suite.js';
import type { Probe } from '../../policies/cases.js';
import type { PodCase } from '../../policies/pods.js';
import { agree, enforce, outcome, worldOf } from './world.js';

/** Whom the recipes of docs/policy.md speak of, and some more; `crawler` and `far` have addresses of the outside, too. */
const PODS = {
  web: { host: 'a', addresses: ['10.32.0.11', 'fd32::11'], labels: { app: 'web' } },
  db: { host: 'a', addresses: ['10.32.0.12', 'fd32::12'], labels: { app: 'db' } },
  api: { host: 'b', addresses: ['10.32.0.14', 'fd32::14'], labels: { app: 'api' } },
  mon: {
    host: 'b',
    addresses: ['10.32.0.15', 'fd32::15'],
    labels: { app: 'mon', 'io.kubernetes.pod.namespace': 'ops' },
  },
  shop: {
    host: 'b',
    addresses: ['10.32.0.16', 'fd32::16'],
    labels: { 'io.kubernetes.pod.namespace': 'shop' },
  },
  till: {
    host: 'a',
    addresses: ['10.32.0.17', 'fd32::17'],
    labels: { 'io.kubernetes.pod.namespace': 'shop' },
  },
  media: {
    host: 'a',
    addresses: ['10.32.0.18', 'fd32::18'],
    labels: { app: 'media', 'port.weft/http': '8080' },
  },
  crawler: {
    host: 'a',
    addresses: ['198.51.100.1', '2001:db8::1', '10.32.0.19/24'],
    labels: { app: 'crawler' },
  },
  far: { host: 'b', addresses: ['198.51.100.2', '2001:db8::2'], labels: {} },
} as const satisfies Record<string, PodCase>;

type Name = keyof typeof PODS;

interface Expected {
  /** The other recipe that is applied with it. */
  readonly beside?: string;
  readonly probes: readonly Probe<Name>[];
}

/** By the name of the policy. */
const RECIPES: Readonly<Record<string, Expected>> = {
  db: { probes: ['api > db TCP/5432 yes', 'api > db TCP/80 no', 'web > db TCP/5432 no'] },
  'deny-ingress': { probes: ['web > db TCP/80 no', 'mon > db TCP/80 6 no', 'db > mon TCP/80 yes'] },
  'deny-egress': { probes: ['web > db TCP/80 no', 'web > mon UDP/53 no', 'mon > web TCP/80 yes'] },
  'web-open': {
    beside: 'deny-ingress',
    probes: ['mon > web TCP/80 yes', 'db > web UDP/53 6 yes', 'web > db TCP/80 no'],
  },
  'among-themselves': {
    probes: ['shop > till TCP/80 yes', 'till > shop TCP/80 6 yes', 'web > shop TCP/80 no'],
  },
  metrics: { probes: ['mon > db TCP/9100 yes', 'mon > db TCP/80 no', 'shop > db TCP/9100 no'] },
  'outside-only': {
    probes: [
      'crawler > far TCP/443 yes',
      'crawler > far TCP/443 6 yes',
      'crawler > far TCP/80 no',
      'crawler > web TCP/443 no',
    ],
  },
  ports: {
    probes: [
      'web > media UDP/32000 yes',
      'web > media UDP/32767 yes',
      'mon > media TCP/8080 yes',
      'web > media TCP/80 no',
      'web > media TCP/32000 no',
    ],
  },
};

const page = readFileSync(new URL('../../../docs/policy.md', import.meta.url), 'utf8');
const texts = new Map(
  [...page.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, text = '']) => [nameOf(text), text] as const),
);

function nameOf(text: string): string {
  return (parse(text) as { metadata: { name: string } }).metadata.name;
}

const world = onLab((lab) => worldOf<Name>(lab, PODS));

test('docs/policy.md has these recipes', () => {
  expect([...texts.keys()].sort()).toEqual(Object.keys(RECIPES).sort());
});

test.each(Object.entries(RECIPES))('its recipe %s does what it says', async (name, { beside, probes }) => {
  const { a, b, lab } = world();
  const applied = [name, beside].flatMap((each) => (each === undefined ? [] : [texts.get(each) ?? '']));
  const file = join(lab.directory, `${name}.yaml`);
  writeFileSync(file, applied.join('---\n'));
  await enforce(world(), []);
  await a.weft('policy', 'apply', '-f', file);
  await agree(a, b);
  expect(await Promise.all(probes.map((probe) => outcome(world(), probe)))).toEqual(probes);
});
