import type { DnsWaiting } from '../../api/index.js';

/** What the launcher is told once everything works. */
export interface Ready {
  readonly peer: string;
  readonly nickname: string;
  readonly network: string;
  readonly mode: 'token' | 'password';
  /** The network and the targets come from an earlier launch. */
  readonly resumed: boolean;
  readonly port: number;
  readonly bridge: string;
  readonly mtu: number;
  readonly pid: number;
  /** Addresses of this host at which names are to be served and are not yet. */
  readonly dnsWaiting: readonly DnsWaiting[];
  /** The command that joins another host. */
  readonly join: string;
}

/** What the daemon's process tells its launcher: one JSON line. */
export type LaunchReport =
  | { readonly ready: Ready }
  | { readonly error: { readonly code: string; readonly message: string } };
