/** The pods of all cases: what they are called, what others know of them, and on which of two hosts they are. */
export interface PodCase {
  readonly host: 'a' | 'b';
  /** Others are written with their length. */
  readonly addresses: readonly [ipv4: string, ipv6: string, ...others: string[]];
  readonly labels: Readonly<Record<string, string>>;
}

/** By name. Those without the label of a namespace are in `default`. */
export const PODS = {
  web: {
    host: 'a',
    addresses: ['10.32.0.11', 'fd32::11'],
    labels: { app: 'web', tier: 'front', 'port.weft/http': '80' },
  },
  db: { host: 'a', addresses: ['10.32.0.12', 'fd32::12'], labels: { app: 'db', tier: 'back' } },
  plain: { host: 'a', addresses: ['10.32.0.13', 'fd32::13'], labels: {} },
  api: {
    host: 'b',
    addresses: ['10.32.0.14', 'fd32::14'],
    labels: { app: 'api', tier: 'back', 'port.weft/http': '8080', 'port.weft/dns': '5353/UDP' },
  },
  mon: {
    host: 'b',
    addresses: ['10.32.0.15', 'fd32::15'],
    labels: { app: 'mon', 'io.kubernetes.pod.namespace': 'ops' },
  },
  shop: {
    host: 'b',
    addresses: ['10.32.0.16', 'fd32::16'],
    labels: { app: 'web', tier: 'front', 'io.kubernetes.pod.namespace': 'shop' },
  },
} as const satisfies Record<string, PodCase>;

export type PodName = keyof typeof PODS;

/** What every pod listens on. */
export const LISTENED = {
  TCP: [80, 443, 5432, 5978, 6379, 8080, 8081, 9100, 32_000, 32_768],
  UDP: [53, 5353, 32_000, 32_767],
} as const;
