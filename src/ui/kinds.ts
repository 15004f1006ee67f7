import type { LinkView } from '../api/status/index.js';

export type Kind = LinkView['kind'];

interface Look {
  readonly name: string;
  /** Custom property of page.css. */
  readonly colour: `--${Kind}`;
  /** What tells it from the others without colours. */
  readonly dash: readonly number[];
  readonly means: string;
}

/** How each kind of link looks. The colours are of Okabe and Ito, which colour-blind people tell apart. */
export const KINDS: Readonly<Record<Kind, Look>> = {
  direct: {
    name: 'direct',
    colour: '--direct',
    dash: [],
    means: 'Packets go straight over UDP, encrypted.',
  },
  plain: {
    name: 'plain',
    colour: '--plain',
    dash: [16, 4],
    means:
      'Packets go straight over UDP and are not encrypted, since both ends trust the subnets between them.',
  },
  kernel: {
    name: 'kernel',
    colour: '--kernel',
    dash: [16, 4, 4, 4],
    means:
      'Both ends trust the subnets between them, and packets for containers do not leave the kernel: nothing is encrypted.',
  },
  relay: {
    name: 'relay',
    colour: '--relay',
    dash: [7, 5],
    means: 'Packets go through another router, which cannot read them.',
  },
  tcp: {
    name: 'TCP',
    colour: '--tcp',
    dash: [12, 4, 2, 4],
    means: 'Packets go straight, but over TCP, which is slower than UDP.',
  },
  none: { name: 'not reached', colour: '--none', dash: [2, 5], means: 'No packet gets there now.' },
};

export const KIND_ORDER = Object.keys(KINDS) as readonly Kind[];

/** What somebody has chosen to see more of. */
export interface Selection {
  readonly what: 'host' | 'link';
  readonly peer: string;
}
