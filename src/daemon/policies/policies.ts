import ipaddr from 'ipaddr.js';
import type {
  PolicyAnswer,
  PolicyApplyRequest,
  PolicyControl,
  PolicyDenials,
  PolicyInfo,
  PolicyList,
  PolicyQuestion,
  PolicyRemoveRequest,
} from '../../api/index.js';
import { WeftError } from '../../errors.js';
import { DENIAL_REASONS, type Denied } from '../../hostnet/index.js';
import { isIpv6, withoutLength } from '../../net/index.js';
import {
  cleanPolicy,
  DEFAULT_NAMESPACE,
  type End,
  explain,
  keyOf,
  MAX_POLICY_BYTES,
  type Pod,
  type PolicyObject,
  parsePolicy,
  policyKey,
  type Question,
  type Snapshot,
  selectorText,
  selects,
} from '../../policy/index.js';
import type { Attachments } from '../attachments/index.js';
import type { Dns } from '../names/index.js';
import type { AllPolicies } from './all-policies.js';
import { denialsOf } from './denials.js';
import { type Enforcement, hostAddresses } from './enforcement.js';
import type { NameOf, Pods } from './pods.js';
import type { PublishedPolicies } from './published-policies.js';
import { endText, reasonsOf } from './sentences.js';

/** Maximum number of policies that all routers of a network share. */
const MAX_POLICIES = 2_000;

export interface PoliciesOptions {
  readonly published: PublishedPolicies;
  /** Those of `published`, and a scheduler's. */
  readonly all: AllPolicies;
  /** What is wrong with those of the scheduler, in sentences. */
  readonly flaws: () => readonly string[];
  readonly enforcement: Enforcement;
  readonly pods: Pods;
  readonly names: Pick<Dns, 'each'>;
  readonly attachments: Pick<Attachments, 'idOf' | 'list'>;
}

/** What users may ask of network policies. */
export class Policies implements PolicyControl {
  readonly #options: PoliciesOptions;

  constructor(options: PoliciesOptions) {
    this.#options = options;
  }

  async list(): Promise<PolicyList> {
    const { all, enforcement, flaws } = this.#options;
    const pods = this.#options.pods.all();
    const ours = all.book.objects().map((object) => infoOf(object, 'weft', pods));
    const theirs = all.scheduler.policies.map(({ object }) => infoOf(object, 'kubernetes', pods));
    return {
      policies: [...ours, ...theirs],
      pending: enforcement.isPending,
      faults: [...enforcement.faults(), ...flaws()],
      denied: packetsOf(await enforcement.denied()),
    };
  }

  /** All of them, or none where one is wrong. Rejects with `bad-policy`, `too-many-policies` or `disk-full`. */
  async apply({ documents }: PolicyApplyRequest): Promise<PolicyList> {
    const { published, enforcement } = this.#options;
    const changes = new Map(
      documents.map(({ where, object }) => {
        const clean = cleanPolicy(object, where);
        return [keyOf(clean), textOf(clean, where)] as const;
      }),
    );
    const known = published.book.objects().map(keyOf);
    if (new Set([...known, ...changes.keys()]).size > MAX_POLICIES) {
      throw new WeftError('too-many-policies', `a network has at most ${MAX_POLICIES} policies: remove some`);
    }
    await published.publish(changes);
    await enforcement.settled();
    return await this.list();
  }

  /** Rejects with `no-such-policy` where one of them is not there, and removes none. */
  async remove({ names }: PolicyRemoveRequest): Promise<PolicyList> {
    const { published, enforcement } = this.#options;
    const known = new Set(published.book.objects().map(keyOf));
    const keys = names.map((name) => (name.includes('/') ? name : `${DEFAULT_NAMESPACE}/${name}`));
    const missing = keys.find((key) => !known.has(key));
    if (missing !== undefined) {
      throw new WeftError('no-such-policy', this.#whyNone(missing));
    }
    await published.publish(new Map(keys.map((key) => [key, undefined])));
    await enforcement.settled();
    return await this.list();
  }

  /** What this host has denied lately, and which policies are the reason. */
  async denials(): Promise<PolicyDenials> {
    const { all, enforcement, pods } = this.#options;
    const found = await enforcement.denials();
    return { denials: denialsOf(found, pods.all(this.#names()), all.policies()) };
  }

  #whyNone(key: string): string {
    const isTheirs = this.#options.all.scheduler.policies.some(({ policy }) => policyKey(policy) === key);
    return isTheirs
      ? `${key} is a policy of Kubernetes: \`kubectl delete networkpolicy\` removes it`
      : `there is no policy ${key}: \`weft policy ls\` shows them`;
  }

  /** Throws `no-such-pod`. */
  explain({ source, destination, port, protocol = 'TCP' }: PolicyQuestion): PolicyAnswer {
    const { all, pods } = this.#options;
    const snapshot = {
      policies: all.policies(),
      pods: pods.all(this.#names()),
      namespaces: all.namespaces,
    };
    const ends = facing(this.#endsOf(source, snapshot), this.#endsOf(destination, snapshot));
    const question: Question = { ...ends, protocol, port: Number(port) };
    const named = { source: endText(ends.source), destination: endText(ends.destination) };
    const host = hostReason(question);
    if (host !== undefined) return { ...named, allowed: true, reasons: [host] };
    const explanation = explain(snapshot, question);
    return { ...named, allowed: explanation.allowed, reasons: reasonsOf(explanation, question) };
  }

  /** Whom a text may mean, by each of the addresses. */
  #endsOf(text: string, { pods }: Snapshot): End[] {
    if (ipaddr.isValid(text)) {
      const address = ipaddr.parse(text).toString();
      const there = pods.filter(({ addresses }) => addresses.includes(address));
      return there.length === 0 ? [{ address, pod: undefined }] : there.map((pod) => ({ address, pod }));
    }
    const [name = '', namespace] = text.split('/').reverse();
    const ours = this.#addressesHere(text);
    const meant = pods.filter(
      (pod) =>
        (isCalled(pod, name) && (namespace === undefined || pod.namespace === namespace)) ||
        (pod.interface !== undefined && pod.addresses.some((address) => ours.has(address))),
    );
    if (meant.length > 0) return meant.flatMap((pod) => pod.addresses.map((address) => ({ address, pod })));
    throw new WeftError(
      'no-such-pod',
      `no container is called "${text}": \`weft status dns\` shows names; an address may be given, too`,
    );
  }

  /** Of a container of this host, whatever a user calls it by. */
  #addressesHere(text: string): ReadonlySet<string> {
    const { attachments } = this.#options;
    const id = attachments.idOf(text);
    const own = attachments.list().filter((attached) => attached.id === id);
    return new Set(own.flatMap(({ addresses }) => addresses.map(withoutLength)));
  }

  #names(): NameOf {
    const found = new Map<string, string>();
    for (const { network, name, addresses } of this.#options.names.each()) {
      for (const address of addresses) found.set(`${network} ${address}`, name);
    }
    return (network, address) => found.get(`${network} ${address}`);
  }
}

/** The first two that can speak to each other: on one network, in one family. */
function facing(
  sources: readonly End[],
  destinations: readonly End[],
): Pick<Question, 'source' | 'destination'> {
  const pairs = sources.flatMap((source) => destinations.map((destination) => ({ source, destination })));
  const pair = pairs.find(
    ({ source, destination }) =>
      isIpv6(source.address) === isIpv6(destination.address) &&
      (source.pod?.network ?? destination.pod?.network) === (destination.pod?.network ?? source.pod?.network),
  );
  if (pair !== undefined) return pair;
  throw new WeftError('no-such-pod', 'these two are on no network together, or have addresses of one family');
}

/** The host reaches its own containers, and they reach it. */
function hostReason({ source, destination }: Question): string | undefined {
  const host = hostAddresses();
  const isHost = ({ address, pod }: End) => pod === undefined && host.includes(address);
  const isOwn = ({ pod }: End) => pod?.interface !== undefined;
  const isSo = (isHost(source) && isOwn(destination)) || (isOwn(source) && isHost(destination));
  return isSo ? 'this host and its own containers always reach each other' : undefined;
}

/** Of all protocols. */
function packetsOf(denied: Denied): PolicyList['denied'] {
  const [ingress = 0, egress = 0, source = 0] = DENIAL_REASONS.map((reason) =>
    Object.values(denied[reason]).reduce((sum, packets) => sum + packets, 0),
  );
  return { ingress, egress, source };
}

function isCalled({ name }: Pod, text: string): boolean {
  return name === text || name.startsWith(`${text}.`);
}

function textOf(object: PolicyObject, where: string): string {
  const text = JSON.stringify(object);
  if (Buffer.byteLength(text) <= MAX_POLICY_BYTES) return text;
  throw new WeftError(
    'bad-policy',
    `${where}: the policy has more than ${MAX_POLICY_BYTES} bytes: make two of it`,
  );
}

function infoOf(object: PolicyObject, origin: PolicyInfo['origin'], pods: readonly Pod[]): PolicyInfo {
  const policy = parsePolicy(object, keyOf(object));
  const { namespace, name, rules } = policy;
  return {
    namespace,
    name,
    origin,
    pods: selectorText(policy.pods),
    directions: (['ingress', 'egress'] as const).filter((direction) => rules[direction] !== undefined),
    selected: pods.filter((pod) => pod.namespace === namespace && selects(policy.pods, pod.labels)).length,
    object,
  };
}
