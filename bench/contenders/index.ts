import type { Contender } from '../contender.js';
import type { Programs } from '../programs.js';
import { fastd } from './fastd.js';
import { floor } from './floor.js';
import { nebula } from './nebula.js';
import { tinc } from './tinc.js';
import { veth } from './veth.js';
import { vxlan } from './vxlan.js';
import { weft, weftTrusted } from './weft.js';
import { wireguardGo } from './wireguard-go.js';

/** The contender that others' figures are divided by. */
export const REFERENCE = vxlan;

export { weftTrusted };

/** The contender whose figures the project's demands are about, and the one with the compatible cipher. */
export const SUBJECT = weft('auto');
export const SUBJECT_SECRETBOX = weft('xsalsa20-poly1305');

/** What the same cipher leaves to any tunnel in user space. */
export const FLOOR = floor('aes-256-gcm');

/** Everything that is compared, in the order of the table. */
export const contenders = (programs: Programs): readonly Contender[] => [
  veth,
  REFERENCE,
  FLOOR,
  floor('plain'),
  weftTrusted,
  SUBJECT,
  weft('aes-256-gcm'),
  weft('chacha20-poly1305'),
  SUBJECT_SECRETBOX,
  wireguardGo(programs.wireguardGo),
  fastd(programs.fastd, 'salsa2012+umac'),
  fastd(programs.fastd, 'aes128-gcm'),
  tinc(programs.tinc),
  nebula(programs.nebula),
];
