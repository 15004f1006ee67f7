import { blake2b } from './hash.js';
import { liveSecrets, type Network } from './network.js';

const MARK_BYTES = 16;

/**
 * What only members can compute of a text, once with each secret that is good, the newest first; 32 hexadecimal digits each. None where the
 * secret comes from a password: whoever heard a mark could try passwords on it, offline.
 */
export function announcementMarks(network: Network, text: string): readonly string[] {
  if (network.mode === 'password') return [];
  const parts = [Buffer.from('weft announcement v1'), Buffer.from(text)];
  return liveSecrets(network).map((secret) => blake2b(MARK_BYTES, parts, secret).toString('hex'));
}
