import type { Point } from './camera.js';

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Pixels of the squares by which boxes near each other are found. */
const SQUARE = 64;

/** Where there is room for texts: none is written over another. */
export class Room {
  readonly #squares = new Map<number, Box[]>();
  readonly #width: number;
  readonly #height: number;

  constructor(width: number, height: number) {
    [this.#width, this.#height] = [width, height];
  }

  /** Something is there, whatever else is. */
  claim({ x, y }: Point, size: number): void {
    this.#put(boxOf({ x, y }, size, size));
  }

  /** Whether a text finds room around this point, which is taken then. */
  take(at: Point, width: number, height: number): boolean {
    const box = boxOf(at, width, height);
    if (box.right < 0 || box.bottom < 0 || box.left > this.#width || box.top > this.#height) return false;
    for (const square of squaresOf(box)) {
      if (this.#squares.get(square)?.some((other) => overlap(box, other))) return false;
    }
    this.#put(box);
    return true;
  }

  #put(box: Box): void {
    for (const square of squaresOf(box)) {
      const boxes = this.#squares.get(square);
      if (boxes === undefined) this.#squares.set(square, [box]);
      else boxes.push(box);
    }
  }
}

function boxOf({ x, y }: Point, width: number, height: number): Box {
  return { left: x - width / 2, right: x + width / 2, top: y - height / 2, bottom: y + height / 2 };
}

function* squaresOf({ left, right, top, bottom }: Box): Iterable<number> {
  for (let x = Math.floor(left / SQUARE); x <= right / SQUARE; x += 1) {
    for (let y = Math.floor(top / SQUARE); y <= bottom / SQUARE; y += 1) yield x * 65_536 + y;
  }
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
