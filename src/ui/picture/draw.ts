import { KINDS, type Kind } from '../kinds.js';
import type { Point } from './camera.js';
import type { Dot } from './layout.js';
import { DIMMED, plainRadius, radiusOf, type Scene, SMALL_FONT } from './scene.js';
import { stampOf } from './stamp.js';
import { drawTexts, widthOfText } from './texts.js';

/** How large things are from which on there is room for the number of interfaces. */
const BADGE_SCALE = 0.6;
/** Many links are drawn fainter, so that hosts are seen between them; and all of them thin while things are smaller than this. */
const MANY_LINKS = 80;
const FAR = 0.8;
/** Bytes a second from which on something moves along a link, and the number of what moves at most. */
export const VISIBLE_RATE = 2_000;
const MOST_MOVING = 120;

export function draw(scene: Scene): void {
  const { canvas, camera, layout } = scene;
  const ratio = devicePixelRatio;
  canvas.setTransform(ratio, 0, 0, ratio, 0, 0);
  canvas.clearRect(0, 0, camera.width, camera.height);
  canvas.globalAlpha = 1;
  const places = new Map<string, Point>();
  for (const [peer, dot] of layout.dots) places.set(peer, camera.toScreen(dot));
  drawOthers(scene, places);
  drawLinks(scene, places);
  if (scene.now !== null && !scene.isStale) drawTraffic(scene, places, scene.now);
  drawHosts(scene, places);
  drawTexts(scene, places);
  canvas.globalAlpha = 1;
}

function drawOthers({ canvas, mesh, palette, isStale }: Scene, places: ReadonlyMap<string, Point>): void {
  canvas.beginPath();
  for (const key of mesh.others.keys()) {
    const a = places.get(key.slice(0, key.indexOf(' ')));
    const b = places.get(key.slice(key.indexOf(' ') + 1));
    if (a === undefined || b === undefined) continue;
    canvas.moveTo(a.x, a.y);
    canvas.lineTo(b.x, b.y);
  }
  canvas.setLineDash([]);
  canvas.lineWidth = 1;
  canvas.strokeStyle = palette.faint;
  canvas.globalAlpha = (isStale ? 0.4 : 1) * Math.min(1, Math.max(0.25, 120 / mesh.others.size));
  canvas.stroke();
}

/** All of one kind and width in one go: a canvas is quick with few long paths. */
function drawLinks(scene: Scene, places: ReadonlyMap<string, Point>): void {
  const { canvas, mesh, palette, isStale, matches } = scene;
  const center = places.get(mesh.self);
  if (center === undefined) return;
  const groups = new Map<string, { kind: Kind; width: number; dim: boolean; ends: Point[] }>();
  for (const [peer, { kind }] of mesh.links) {
    const end = places.get(peer);
    if (end === undefined) continue;
    const width = widthOf(scene, peer);
    const dim = !matches(peer);
    const key = `${kind} ${width} ${dim}`;
    const group = groups.get(key) ?? { kind, width, dim, ends: [] };
    groups.set(key, group);
    group.ends.push(end);
  }
  for (const { kind, width, dim, ends } of groups.values()) {
    canvas.beginPath();
    for (const end of ends) {
      canvas.moveTo(center.x, center.y);
      canvas.lineTo(end.x, end.y);
    }
    canvas.globalAlpha = dim ? DIMMED : isStale ? 0.35 : mesh.links.size > MANY_LINKS ? 0.6 : 1;
    canvas.strokeStyle = isStale ? palette.lost : palette.kinds[kind];
    canvas.lineWidth = width;
    canvas.setLineDash([...KINDS[kind].dash]);
    canvas.stroke();
  }
  canvas.setLineDash([]);
}

/**
 * Thin where nothing flows; a pixel more for each ten times as much. Of many links seen from afar all are thin: wide ones would hide the hosts, beads show
 * what flows, and lines of a pixel are several times quicker to draw.
 */
function widthOf({ mesh, marked, camera }: Scene, peer: string): number {
  const isMarked = marked.some((each) => each?.what === 'link' && each.peer === peer);
  if (mesh.links.size > MANY_LINKS && camera.scale < FAR) return isMarked ? 3.5 : 1;
  const { sent, received } = mesh.rate(peer);
  const busy = Math.max(0, Math.floor(Math.log10((sent + received) / VISIBLE_RATE) + 1));
  return 2 + Math.min(busy, 6) * 0.75 + (isMarked ? 2.5 : 0);
}

function drawTraffic(
  { canvas, mesh, palette, matches }: Scene,
  places: ReadonlyMap<string, Point>,
  now: number,
): void {
  const center = places.get(mesh.self);
  if (center === undefined) return;
  const busy = [...mesh.rates].filter(([peer]) => matches(peer) && places.has(peer)).slice(0, MOST_MOVING);
  for (const [peer, { sent, received }] of busy) {
    const end = places.get(peer) ?? center;
    canvas.fillStyle = palette.kinds[mesh.kind(peer) ?? 'none'];
    canvas.globalAlpha = 0.95;
    drawStream(canvas, center, end, sent, now);
    drawStream(canvas, end, center, received, now);
  }
}

/** Beads that go from one end to the other: more of them, and larger, the more flows. */
function drawStream(
  canvas: CanvasRenderingContext2D,
  from: Point,
  to: Point,
  rate: number,
  now: number,
): void {
  if (rate < VISIBLE_RATE) return;
  const magnitude = Math.min(6, Math.log10(rate / VISIBLE_RATE) + 1);
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = Math.hypot(dx, dy);
  if (length < 40) return;
  const side = 3.2;
  const [ox, oy] = [(-dy / length) * side, (dx / length) * side];
  const beads = Math.max(1, Math.round((length / 130) * (0.6 + magnitude / 3)));
  const phase = ((now / 1000) * (28 + 12 * magnitude)) / length;
  canvas.beginPath();
  for (let bead = 0; bead < beads; bead += 1) {
    const along = (phase + bead / beads) % 1;
    const [x, y] = [from.x + dx * along + ox, from.y + dy * along + oy];
    canvas.moveTo(x + 3, y);
    canvas.arc(x, y, 1.5 + magnitude * 0.28, 0, 2 * Math.PI);
  }
  canvas.fill();
}

/** Most look alike and are copies of one stamp, which is many times quicker than a path with an arc for each; then those that do not. */
function drawHosts(scene: Scene, places: ReadonlyMap<string, Point>): void {
  const { canvas, layout, camera, palette } = scene;
  const { image, middle } = stampOf(plainRadius(camera.scale), palette);
  canvas.globalAlpha = 1;
  for (const [peer, dot] of layout.dots) {
    const place = places.get(peer);
    if (place === undefined || !isPlain(scene, dot)) continue;
    canvas.drawImage(image, place.x - middle, place.y - middle, 2 * middle, 2 * middle);
  }
  for (const [peer, dot] of layout.dots) {
    const place = places.get(peer);
    if (place === undefined) continue;
    if (!isPlain(scene, dot)) drawHost(scene, dot, place);
    else if (camera.scale > BADGE_SCALE) drawBadge(scene, peer, place);
  }
}

function isPlain({ mesh, matches, marked, isStale }: Scene, { peer, presence }: Dot): boolean {
  const isMarked = marked.some((each) => each?.peer === peer);
  return presence === 1 && !isStale && !isMarked && peer !== mesh.self && !mesh.isLost(peer) && matches(peer);
}

function drawHost(scene: Scene, { peer, presence }: Dot, { x, y }: Point): void {
  const { canvas, mesh, camera, palette, matches, marked, isStale } = scene;
  const isSelf = peer === mesh.self;
  const isLost = isStale || mesh.isLost(peer);
  const radius = radiusOf(mesh, peer, camera.scale) * (0.3 + 0.7 * presence);
  canvas.globalAlpha = presence * (matches(peer) ? 1 : DIMMED);
  const isMarked = marked.some((each) => each?.what === 'host' && each.peer === peer);
  if (isSelf || isMarked) {
    circle(canvas, x, y, radius + (isMarked ? 5 : 4));
    canvas.lineWidth = isMarked ? 3 : 2;
    canvas.strokeStyle = isMarked ? palette.focus : palette.self;
    canvas.stroke();
  }
  circle(canvas, x, y, radius);
  canvas.fillStyle = isLost ? palette.ground : isSelf ? palette.self : palette.host;
  canvas.fill();
  canvas.lineWidth = 2;
  canvas.strokeStyle = isLost ? palette.lost : palette.ground;
  if (isLost) canvas.setLineDash([3, 2]);
  canvas.stroke();
  canvas.setLineDash([]);
  if (camera.scale > BADGE_SCALE && !isLost) drawBadge(scene, peer, { x, y });
}

/** The number of its interfaces. */
function drawBadge({ canvas, mesh, camera, palette }: Scene, peer: string, place: Point): void {
  const number = mesh.hosts.get(peer)?.interfaces ?? 0;
  if (number === 0) return;
  const radius = radiusOf(mesh, peer, camera.scale);
  const [x, y] = [place.x + radius * 0.8, place.y - radius * 0.9];
  const text = number > 999 ? `${Math.floor(number / 1000)}k` : String(number);
  canvas.font = SMALL_FONT;
  const width = Math.max(15, widthOfText(canvas, text) + 8);
  canvas.beginPath();
  canvas.roundRect(x - 4, y - 8, width, 15, 7.5);
  canvas.fillStyle = palette.badge;
  canvas.fill();
  canvas.lineWidth = 1.5;
  canvas.strokeStyle = palette.ground;
  canvas.stroke();
  canvas.fillStyle = palette.ground;
  canvas.textAlign = 'center';
  canvas.textBaseline = 'middle';
  canvas.fillText(text, x - 4 + width / 2, y);
}

function circle(canvas: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  canvas.beginPath();
  canvas.arc(x, y, radius, 0, 2 * Math.PI);
}
