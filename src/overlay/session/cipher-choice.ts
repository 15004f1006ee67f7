import type { CipherSpeed } from '../../mesh/index.js';

/** Every router speaks this one. */
export const BASELINE_CIPHER = 'xsalsa20-poly1305';
export const AUTO = 'auto';

/** What one end brings to the choice. */
export interface CipherOffer {
  readonly ciphers: readonly CipherSpeed[];
  /** The one cipher that its operator wants, or `auto`. */
  readonly pinned: string;
}

/**
 * The cipher of a session; both ends come to the same one from the same two offers, in either order.
 *
 * A pinned cipher wins if both have it and the other end does not insist on another; else the baseline. With `auto` on both:
 * the one whose slower end is fastest, among those that both CPUs have in hardware; where there is none, among the others
 * but AES, which is not constant-time in software.
 */
export function chooseCipher(a: CipherOffer, b: CipherOffer): string {
  const pins = new Set([a.pinned, b.pinned].filter((pin) => pin !== AUTO));
  const [pin] = pins;
  if (pin !== undefined) return pins.size === 1 && has(a, pin) && has(b, pin) ? pin : BASELINE_CIPHER;
  const common = a.ciphers.flatMap((ours) => {
    const theirs = b.ciphers.find(({ name }) => name === ours.name);
    return theirs === undefined ? [] : [combine(ours, theirs)];
  });
  const hardware = common.filter((cipher) => cipher.hardware);
  const software = common.filter((cipher) => !cipher.name.startsWith('aes'));
  const best = (hardware.length > 0 ? hardware : software).sort(byCost)[0];
  return best?.name ?? BASELINE_CIPHER;
}

interface CommonCipher {
  readonly name: string;
  readonly hardware: boolean;
  readonly slowest: number;
  readonly sum: number;
}

function combine(ours: CipherSpeed, theirs: CipherSpeed): CommonCipher {
  return {
    name: ours.name,
    hardware: ours.hardware && theirs.hardware,
    slowest: Math.max(ours.nanosecondsPer1400, theirs.nanosecondsPer1400),
    sum: ours.nanosecondsPer1400 + theirs.nanosecondsPer1400,
  };
}

function byCost(a: CommonCipher, b: CommonCipher): number {
  return a.slowest - b.slowest || a.sum - b.sum || (a.name < b.name ? -1 : 1);
}

function has({ ciphers }: CipherOffer, name: string): boolean {
  return name === BASELINE_CIPHER || ciphers.some((cipher) => cipher.name === name);
}
