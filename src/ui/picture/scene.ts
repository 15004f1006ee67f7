import type { Selection } from '../kinds.js';
import type { Mesh } from '../model/index.js';
import type { Camera } from './camera.js';
import type { Layout } from './layout.js';
import type { Palette } from './palette.js';

/** All that a drawing is made from. */
export interface Scene {
  readonly canvas: CanvasRenderingContext2D;
  readonly mesh: Mesh;
  readonly layout: Layout;
  readonly camera: Camera;
  readonly palette: Palette;
  readonly matches: (peer: string) => boolean;
  /** What is pointed at, or has the focus, and what is chosen. */
  readonly marked: readonly (Selection | undefined)[];
  /** Milliseconds; null: nothing is to move. */
  readonly now: number | null;
  readonly isStale: boolean;
}

export const SMALL_FONT = '10.5px system-ui, sans-serif';
/** Opacity of what nobody looks for. */
export const DIMMED = 0.14;

/** Radius of a host in pixels. */
export function radiusOf(mesh: Mesh, peer: string, scale: number): number {
  return peer === mesh.self ? 13 * sizeAt(scale) : plainRadius(scale);
}

/** Of every host but this one. */
export function plainRadius(scale: number): number {
  return 9 * sizeAt(scale);
}

function sizeAt(scale: number): number {
  return Math.min(1.15, Math.max(0.42, scale));
}
