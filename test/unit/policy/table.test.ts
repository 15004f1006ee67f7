import { describe, expect, test } from 'vitest';
import {
  type Allowance,
  compile,
  explain,
  type Matcher,
  type Pod,
  type PortMatch,
  type Question,
  type RuleSet,
} from '../../../src/policy/index.js';
import { addressInterval, contains } from '../../../src/policy/objects/index.js';
import { CASES } from '../../policies/cases.js';
import { KUBERNETES_CASES } from '../../policies/kubernetes.js';
import { partsOf, snapshotOf } from '../../policies/model.js';

test('the table has 80 cases at least', () => {
  expect(CASES.flatMap(({ probes }) => probes).length).toBeGreaterThanOrEqual(80);
});

describe.each([...CASES, ...KUBERNETES_CASES])('under $under', (each) => {
  const snapshot = snapshotOf(each);
  const rules = compile(snapshot);
  test.each(each.probes)('%s', (probe) => {
    const { source, destination, protocol, port, isIpv6, allowed } = partsOf(probe);
    const end = (name: string) => {
      const pod = snapshot.pods.find((candidate) => candidate.name === name) as Pod;
      return { pod, address: pod.addresses[isIpv6 ? 1 : 0] as string };
    };
    const question = { source: end(source), destination: end(destination), protocol, port };
    expect(explain(snapshot, question).allowed).toBe(allowed);
    expect(passes(rules, question)).toBe(allowed);
  });
});

/** What somebody who enforces the rules would say. */
function passes(rules: RuleSet, question: Question): boolean {
  const { source, destination } = question;
  const egress = rules.interfaces.get(source.pod?.interface ?? '')?.egress;
  const ingress = rules.interfaces.get(destination.pod?.interface ?? '')?.ingress;
  return (
    allows(rules, egress, question, destination.address) && allows(rules, ingress, question, source.address)
  );
}

function allows(rules: RuleSet, name: string | undefined, question: Question, peer: string): boolean {
  if (name === undefined) return true;
  const allowances = rules.chains.get(name)?.allowances ?? [];
  return allowances.some((allowance) => allowsThis(rules, allowance, question, peer));
}

function allowsThis(rules: RuleSet, allowance: Allowance, question: Question, peer: string): boolean {
  const { protocol, port, destination } = question;
  if (allowance.kind === 'sockets') {
    const sockets = rules.sockets.get(allowance.sockets) ?? [];
    return sockets.some(
      (socket) =>
        socket.address === destination.address && socket.protocol === protocol && socket.port === port,
    );
  }
  const covers = ({ protocol: its, range }: PortMatch) =>
    its === protocol && (range === undefined || (range.first <= port && port <= range.last));
  return matches(rules, allowance.peers, peer) && (allowance.ports?.some(covers) ?? true);
}

function matches(rules: RuleSet, matcher: Matcher, address: string): boolean {
  switch (matcher.kind) {
    case 'everybody':
      return true;
    case 'group':
      return rules.groups.get(matcher.group)?.has(address) === true;
    case 'blocks':
      return matcher.intervals.some((interval) => contains(interval, addressInterval(address)));
  }
}
