import { part, setText } from '../dom.js';
import { bitRate, percent, roundTrip } from '../format.js';
import { KINDS, type Selection } from '../kinds.js';
import type { Filter, Mesh } from '../model/index.js';
import { Camera, type Point } from './camera.js';
import { draw, VISIBLE_RATE } from './draw.js';
import { Layout } from './layout.js';
import { type Palette, readPalette } from './palette.js';
import { listenToPointer } from './pointer.js';
import { radiusOf } from './scene.js';

/** Moving beads need no more pictures a second than this (ms between them). */
const BEAD_INTERVAL = 40;
const LINK_REACH = 7;

export interface PictureOptions {
  readonly mesh: Mesh;
  readonly filter: Filter;
  readonly onChoose: (selection: Selection | undefined) => void;
}

/** The mesh as a picture. It is drawn when something changed, and not at all when nothing does. */
export class Picture {
  readonly camera = new Camera();
  readonly layout = new Layout();
  readonly options: PictureOptions;
  readonly element = part('canvas', HTMLCanvasElement);
  readonly #tip = part('tip', HTMLDivElement);
  readonly #canvas: CanvasRenderingContext2D;
  readonly #calm = matchMedia('(prefers-reduced-motion: reduce)');
  #palette: Palette;
  #pointed: Selection | undefined;
  #focused: Selection | undefined;
  #chosen: Selection | undefined;
  #isStale = false;
  #request = 0;
  #drawnAt = 0;
  #isDue = false;

  constructor(options: PictureOptions) {
    this.options = options;
    const canvas = this.element.getContext('2d');
    if (canvas === null) throw new Error('this browser draws nothing');
    this.#canvas = canvas;
    this.#palette = readPalette();
    new ResizeObserver(() => this.#resize()).observe(this.element);
    listenToPointer(this);
    part('closer', HTMLButtonElement).addEventListener('click', () =>
      this.#move(() => this.camera.zoom(1.3)),
    );
    part('farther', HTMLButtonElement).addEventListener('click', () =>
      this.#move(() => this.camera.zoom(1 / 1.3)),
    );
    part('fit', HTMLButtonElement).addEventListener('click', () => this.#move(() => this.camera.follow()));
  }

  /** The mesh is another one. */
  update({ isStale }: { readonly isStale: boolean }): void {
    this.#isStale = isStale;
    if (this.element.clientWidth === 0) return; // the table is shown instead
    this.layout.follow(this.options.mesh);
    this.redraw();
  }

  recolour(): void {
    this.#palette = readPalette();
    this.redraw();
  }

  focus(selection: Selection | undefined): void {
    this.#focused = selection;
    this.redraw();
  }

  choose(selection: Selection | undefined): void {
    this.#chosen = selection;
    this.redraw();
  }

  /** Shows beside the pointer what it points at. */
  point(selection: Selection | undefined, at: Point): void {
    const isOther = selection?.peer !== this.#pointed?.peer || selection?.what !== this.#pointed?.what;
    this.#pointed = selection;
    this.#tip.hidden = selection === undefined;
    this.element.classList.toggle('pointing', selection !== undefined);
    if (selection !== undefined) {
      setText(this.#tip, this.#describe(selection));
      const left = Math.min(at.x + 14, this.camera.width - this.#tip.offsetWidth - 8);
      this.#tip.style.left = `${Math.max(8, left)}px`;
      this.#tip.style.top = `${at.y + 16}px`;
    }
    if (isOther) this.redraw();
  }

  /** What is at this point of the canvas. */
  at(point: Point): Selection | undefined {
    const { mesh } = this.options;
    const center = this.layout.dots.get(mesh.self);
    let nearest: { readonly selection: Selection; readonly distance: number } | undefined;
    const offer = (selection: Selection, distance: number) => {
      if (distance < (nearest?.distance ?? Infinity)) nearest = { selection, distance };
    };
    for (const [peer, dot] of this.layout.dots) {
      const place = this.camera.toScreen(dot);
      const distance =
        Math.hypot(place.x - point.x, place.y - point.y) - radiusOf(mesh, peer, this.camera.scale);
      if (distance < 5) offer({ what: 'host', peer }, distance - LINK_REACH);
      if (center === undefined || !mesh.links.has(peer)) continue;
      const beside = distanceToLine(point, this.camera.toScreen(center), place);
      if (beside < LINK_REACH) offer({ what: 'link', peer }, beside);
    }
    return nearest?.selection;
  }

  redraw(): void {
    this.#isDue = true;
    if (this.#request === 0) this.#request = requestAnimationFrame((now) => this.#frame(now));
  }

  #frame(now: number): void {
    this.#request = 0;
    if (this.element.clientWidth === 0) return; // the table is shown instead
    const moves = this.layout.moves;
    if (moves) this.layout.step();
    const pans = this.camera.step(this.layout.dots.values());
    const flows = this.#flows();
    if (this.#isDue || moves || pans || now - this.#drawnAt >= BEAD_INTERVAL) this.#draw(now, flows);
    this.#isDue = false;
    if (moves || pans || flows) this.#request ||= requestAnimationFrame((next) => this.#frame(next));
  }

  #draw(now: number, flows: boolean): void {
    const { mesh, filter } = this.options;
    this.#drawnAt = now;
    draw({
      canvas: this.#canvas,
      mesh,
      layout: this.layout,
      camera: this.camera,
      palette: this.#palette,
      matches: (peer) => filter.text === '' || filter.matches(peer),
      marked: [this.#pointed, this.#focused, this.#chosen],
      now: flows ? now : null,
      isStale: this.#isStale,
    });
  }

  #flows(): boolean {
    if (this.#calm.matches || this.#isStale) return false;
    for (const { sent, received } of this.options.mesh.rates.values()) {
      if (sent >= VISIBLE_RATE || received >= VISIBLE_RATE) return true;
    }
    return false;
  }

  #resize(): void {
    const { clientWidth, clientHeight } = this.element;
    if (clientWidth === 0) return;
    this.camera.width = clientWidth;
    this.camera.height = clientHeight;
    this.element.width = Math.round(clientWidth * devicePixelRatio);
    this.element.height = Math.round(clientHeight * devicePixelRatio);
    this.redraw();
  }

  #move(change: () => void): void {
    change();
    this.redraw();
  }

  #describe({ what, peer }: Selection): string {
    const { mesh } = this.options;
    const link = mesh.links.get(peer);
    const name = mesh.nickname(peer);
    if (what === 'host' || link === undefined) return peer === mesh.self ? `${name}: this router` : name;
    const { sent, received } = mesh.rate(peer);
    const kind = link.via === null ? KINDS[link.kind].name : `through ${link.via}`;
    return `${name}: ${kind}, ${roundTrip(link.rtt)}, ${percent(link.loss)} lost, ↑ ${bitRate(sent)} ↓ ${bitRate(received)}`;
  }
}

function distanceToLine(point: Point, from: Point, to: Point): number {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = dx * dx + dy * dy;
  const along = length === 0 ? 0 : ((point.x - from.x) * dx + (point.y - from.y) * dy) / length;
  const nearest = Math.min(1, Math.max(0, along));
  return Math.hypot(point.x - from.x - dx * nearest, point.y - from.y - dy * nearest);
}
