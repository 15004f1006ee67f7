/** Objects as an API server gives them, with most of what is of no interest to weft. */
import type { ApiObject } from './api-server.js';

const CREATED = '2026-11-30T08:00:00Z';

const managedFields = [
  {
    manager: 'kubelet',
    operation: 'Update',
    apiVersion: 'v1',
    time: CREATED,
    fieldsType: 'FieldsV1',
    fieldsV1: { 'f:status': { 'f:conditions': { 'k:{"type":"Ready"}': { '.': {}, 'f:status': {} } } } },
    subresource: 'status',
  },
];

const uidOf = (text: string) => `uid-${text}`;

export interface NodeShape {
  readonly name: string;
  readonly address: string;
  readonly uid?: string;
  /** The router on it, as that one noted. */
  readonly peer?: string;
  /** As cloud providers begin. */
  readonly networkUnavailable?: boolean;
}

export function node({
  name,
  address,
  uid = uidOf(name),
  peer,
  networkUnavailable = true,
}: NodeShape): ApiObject {
  const condition = (type: string, status: string, reason: string) => ({
    ...{ type, status, reason, message: reason },
    ...{ lastHeartbeatTime: CREATED, lastTransitionTime: CREATED },
  });
  return {
    kind: 'Node',
    apiVersion: 'v1',
    metadata: {
      ...{ name, uid, creationTimestamp: CREATED, managedFields },
      labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' },
      annotations: {
        'node.alpha.kubernetes.io/ttl': '0',
        ...(peer !== undefined && { 'weft.network/peer': peer }),
      },
    },
    spec: { podCIDR: '10.244.0.0/24', podCIDRs: ['10.244.0.0/24'] },
    status: {
      capacity: { cpu: '4', memory: '16374788Ki', pods: '110' },
      conditions: [
        ...(networkUnavailable ? [condition('NetworkUnavailable', 'True', 'NoRouteCreated')] : []),
        condition('Ready', 'False', 'KubeletNotReady'),
      ],
      addresses: [
        { type: 'InternalIP', address },
        { type: 'Hostname', address: name },
      ],
      daemonEndpoints: { kubeletEndpoint: { Port: 10_250 } },
      images: [{ names: ['registry.k8s.io/pause:3.9'], sizeBytes: 321_520 }],
    },
  };
}

export interface PodShape {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly addresses?: readonly string[];
  readonly phase?: string;
  readonly hostNetwork?: boolean;
  readonly createdAt?: string;
  readonly ports?: readonly { name: string; containerPort: number; protocol?: string }[];
}

export function pod(shape: PodShape): ApiObject {
  const { name, namespace = 'default', labels = {}, addresses = [], phase = 'Running', ports } = shape;
  const { uid = uidOf(`${namespace}/${name}`), hostNetwork, createdAt = CREATED } = shape;
  const image = 'registry.example/app@sha256:0f8a1f7a0d5d0d1c6c0f1e1f5d3c2b1a';
  return {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { name, namespace, uid, labels, creationTimestamp: createdAt, managedFields },
    spec: {
      containers: [
        { name: 'app', image, resources: {}, imagePullPolicy: 'IfNotPresent', ...(ports && { ports }) },
      ],
      volumes: [{ name: 'kube-api-access-x7k2p', projected: { sources: [], defaultMode: 420 } }],
      tolerations: [{ key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' }],
      ...(hostNetwork && { hostNetwork }),
    },
    status: {
      phase,
      conditions: [{ type: 'Ready', status: 'True', lastProbeTime: null, lastTransitionTime: createdAt }],
      ...(addresses.length > 0 && { podIP: addresses[0], podIPs: addresses.map((ip) => ({ ip })) }),
    },
  };
}

export function namespace(name: string, labels: Readonly<Record<string, string>> = {}): ApiObject {
  return {
    kind: 'Namespace',
    apiVersion: 'v1',
    metadata: {
      ...{ name, uid: uidOf(name), creationTimestamp: CREATED, managedFields },
      labels: { 'kubernetes.io/metadata.name': name, ...labels },
    },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  };
}

export function policy(name: string, spec: object, inNamespace = 'default'): ApiObject {
  return {
    metadata: {
      ...{ name, namespace: inNamespace, uid: uidOf(`${inNamespace}/${name}`), generation: 1 },
      ...{ creationTimestamp: CREATED, managedFields },
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({ spec }) },
    },
    spec,
  };
}
