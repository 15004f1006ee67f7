import type { Contender } from '../contender.js';
import { fastd } from './fastd.js';
import { nebula } from './nebula.js';
import { tinc } from './tinc.js';
import { veth } from './veth.js';
import { vxlan } from './vxlan.js';
import { weft } from './weft.js';
import { wireguardGo } from './wireguard-go.js';

/** The contender that others' figures are divided by. */
export const REFERENCE = vxlan;

/** The contender whose figures the project's demands are about, and the one with the compatible cipher. */
export const SUBJECT = weft('auto');
export const SUBJECT_SECRETBOX = weft('xsalsa20-poly1305');

/** Everything that is compared, in the order of the table. */
export const CONTENDERS: readonly Contender[] = [
  veth,
  REFERENCE,
  SUBJECT,
  weft('aes-256-gcm'),
  weft('chacha20-poly1305'),
  SUBJECT_SECRETBOX,
  wireguardGo,
  fastd('salsa2012+umac'),
  fastd('aes128-gcm'),
  tinc,
  nebula,
];
