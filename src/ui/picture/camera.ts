export interface Point {
  readonly x: number;
  readonly y: number;
}

const CLOSEST = 4;
const FARTHEST = 0.05;
/** What it does not exceed by itself: few hosts are not blown up. */
const CLOSEST_FIT = 1.5;
const EASE = 0.18;
/** Room for names around the outermost hosts, and for the legend below, in pixels. */
const MARGIN = { x: 60, top: 46, bottom: 74 };

/** Which piece of the picture is seen: until somebody moves it, all of it. */
export class Camera {
  width = 0;
  height = 0;
  scale = 1;
  #x = 0;
  #y = 0;
  #follows = true;
  #isPlaced = false;

  /** Zooms so that everything is seen. */
  follow(): void {
    this.#follows = true;
  }

  toScreen({ x, y }: Point): Point {
    return { x: x * this.scale + this.#x, y: y * this.scale + this.#y };
  }

  toPicture({ x, y }: Point): Point {
    return { x: (x - this.#x) / this.scale, y: (y - this.#y) / this.scale };
  }

  pan(dx: number, dy: number): void {
    this.#follows = false;
    this.#x += dx;
    this.#y += dy;
  }

  /** What is at this point of the screen stays there. */
  zoom(factor: number, at: Point = { x: this.width / 2, y: this.height / 2 }): void {
    this.#follows = false;
    const fixed = this.toPicture(at);
    this.scale = Math.min(CLOSEST, Math.max(FARTHEST, this.scale * factor));
    this.#x = at.x - fixed.x * this.scale;
    this.#y = at.y - fixed.y * this.scale;
  }

  /** Goes a step towards where it should be; false when it is there. */
  step(points: Iterable<Point>): boolean {
    const goal = this.#follows ? this.#fitting(points) : undefined;
    if (goal === undefined) return false;
    const ease = this.#isPlaced ? EASE : 1;
    this.#isPlaced = true;
    const distance = Math.abs(goal.x - this.#x) + Math.abs(goal.y - this.#y);
    this.scale += (goal.scale - this.scale) * ease;
    this.#x += (goal.x - this.#x) * ease;
    this.#y += (goal.y - this.#y) * ease;
    return distance > 0.5;
  }

  #fitting(points: Iterable<Point>) {
    let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
    for (const { x, y } of points) {
      [left, right] = [Math.min(left, x), Math.max(right, x)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    }
    if (left > right || this.width === 0) return undefined;
    const width = Math.max(40, this.width - 2 * MARGIN.x);
    const height = Math.max(40, this.height - MARGIN.top - MARGIN.bottom);
    const scale = Math.min(CLOSEST_FIT, width / (right - left || 1), height / (bottom - top || 1));
    return {
      scale,
      x: this.width / 2 - ((left + right) / 2) * scale,
      y: MARGIN.top + height / 2 - ((top + bottom) / 2) * scale,
    };
  }
}
