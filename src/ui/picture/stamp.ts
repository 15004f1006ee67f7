import type { Palette } from './palette.js';

/** A host as most of them look: a square image of which the host's place is the middle. */
export interface Stamp {
  readonly image: HTMLCanvasElement;
  /** Pixels of the screen from a side to the middle. */
  readonly middle: number;
}

/** Of the ground, so that hosts stand out from links and from each other. */
const RIM = 2;

let last: { readonly key: string; readonly stamp: Stamp } | undefined;

/** All hosts of a picture are of one size and colour, so the last one is kept. */
export function stampOf(radius: number, { host, ground }: Palette): Stamp {
  const key = `${radius} ${devicePixelRatio} ${host} ${ground}`;
  if (last?.key !== key) last = { key, stamp: cut(radius, host, ground) };
  return last.stamp;
}

function cut(radius: number, host: string, ground: string): Stamp {
  const image = document.createElement('canvas');
  const middle = Math.ceil(radius + RIM);
  image.width = image.height = Math.ceil(2 * middle * devicePixelRatio);
  const canvas = image.getContext('2d');
  if (canvas === null) throw new Error('this browser draws nothing');
  canvas.scale(image.width / (2 * middle), image.height / (2 * middle));
  canvas.arc(middle, middle, radius, 0, 2 * Math.PI);
  canvas.fillStyle = host;
  canvas.strokeStyle = ground;
  canvas.lineWidth = RIM;
  canvas.fill();
  canvas.stroke();
  return { image, middle };
}
