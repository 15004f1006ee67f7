import type { PathWord } from './event.js';

/** What is known of the way to a peer. */
export interface Way {
  readonly path: 'direct' | 'relay' | 'tcp' | 'none';
  /** `plain`: none. */
  readonly cipher: string | null;
  /** Whether frames for its containers stay in the kernel; null where none may. */
  readonly kernel: { readonly used: boolean } | null;
}

/** The way to a peer in one word. */
export function pathWord({ path, cipher, kernel }: Way): PathWord {
  if (path !== 'direct') return path;
  if (kernel?.used) return 'kernel';
  return cipher === 'plain' ? 'plain' : 'direct';
}
