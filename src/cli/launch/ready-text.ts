import type { Ready } from '../../daemon/index.js';
import { waitingText } from '../tables/dns.js';

/** What a launch did, and what comes next. */
export interface Launched extends Ready {
  /** By a token or a password that this launch was given. */
  readonly joined: boolean;
  /** The file that an administrator's key was put into. */
  readonly adminKey: string | undefined;
  /** Docker is served, too. */
  readonly docker: boolean;
  /** Of the line that joins other hosts. */
  readonly qr: string | undefined;
}

export function readyText(launched: Launched): string {
  const { peer, nickname, network, port, bridge, mtu, dnsWaiting, join, qr } = launched;
  return [
    `router ${peer} (${nickname}) is ready: TCP and UDP ${port}, bridge ${bridge}, MTU ${mtu}`,
    `network ${network}, ${originOf(launched)}`,
    ...dnsWaiting.map((place) => `names: waiting ${waitingText(place)}`),
    'join it from another host with:',
    '',
    `    ${join}`,
    '',
    ...(qr === undefined ? [] : [qr, '']),
    ...adminText(launched),
    ...nextText(launched),
  ].join('\n');
}

function originOf({ resumed, mode, joined }: Launched): string {
  if (resumed) return 'as before';
  if (mode === 'password') return 'joined by password';
  return joined ? 'joined' : 'new';
}

function adminText({ adminKey }: Launched): string[] {
  if (adminKey === undefined) return [];
  return [
    `the administrator's key is in ${adminKey}: keep a copy of it elsewhere; only with it routers can be expelled and removed, and the token rotated`,
    '',
  ];
}

/** Whoever launched before knows. */
function nextText({ resumed, docker }: Launched): string[] {
  if (docker) return ['Docker has a network "weft" as soon as it runs: `weft docker status` shows it', ''];
  if (resumed) return [];
  return [
    'then put containers on it, on any host: `weft attach NAME`, or `weft docker enable` and `docker run --network weft`',
    '`weft check` proves that all hosts reach each other; `weft status` shows this one',
    '',
  ];
}
