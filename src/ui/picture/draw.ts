import { percent, roundTrip } from '../format.js';
import { KINDS, type Kind, type Selection } from '../kinds.js';
import type { Mesh } from '../model/mesh.js';
import type { Camera, Point } from './camera.js';
import type { Dot, Layout } from './layout.js';
import type { Palette } from './palette.js';
import { Room } from './room.js';

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

const FONT = '12px system-ui, sans-serif';
const SMALL_FONT = '10.5px system-ui, sans-serif';
const DIMMED = 0.14;
/** How large things are from which on there is room for the number of interfaces. */
const BADGE_SCALE = 0.6;
/** Many links are drawn fainter, so that hosts are seen between them. */
const MANY_LINKS = 80;
const NAME_HEIGHT = 14;
/** What a link needs at each side of its round trip, in pixels, and where along it there may be room. */
const RTT_ROOM = 26;
const RTT_SPOTS = [0.58, 0.7, 0.46];
/** With more links they would hide the picture. */
const MOST_ROUND_TRIPS = 60;
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

/** Thin where nothing flows; a pixel more for each ten times as much. */
function widthOf({ mesh, marked, camera }: Scene, peer: string): number {
  const { sent, received } = mesh.rate(peer);
  const busy = Math.max(0, Math.floor(Math.log10((sent + received) / VISIBLE_RATE) + 1));
  const isMarked = marked.some((each) => each?.what === 'link' && each.peer === peer);
  const base = mesh.links.size > 60 && camera.scale < 0.8 ? 1.25 : 2;
  return base + Math.min(busy, 6) * 0.75 + (isMarked ? 2.5 : 0);
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

function drawHosts(scene: Scene, places: ReadonlyMap<string, Point>): void {
  for (const [peer, dot] of scene.layout.dots) {
    const place = places.get(peer);
    if (place !== undefined) drawHost(scene, dot, place);
  }
}

/** Radius of a host in pixels. */
export function radiusOf(mesh: Mesh, peer: string, scale: number): number {
  const size = peer === mesh.self ? 13 : 9;
  return size * Math.min(1.15, Math.max(0.42, scale));
}

function drawHost(
  { canvas, mesh, camera, palette, matches, marked, isStale }: Scene,
  dot: Dot,
  { x, y }: Point,
): void {
  const { peer, presence } = dot;
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
  const { interfaces = 0 } = mesh.hosts.get(peer) ?? {};
  if (interfaces > 0 && camera.scale > BADGE_SCALE && !isLost)
    drawBadge(canvas, palette, x + radius * 0.8, y - radius * 0.9, interfaces);
}

function drawBadge(
  canvas: CanvasRenderingContext2D,
  palette: Palette,
  x: number,
  y: number,
  number: number,
): void {
  const text = number > 999 ? `${Math.floor(number / 1000)}k` : String(number);
  canvas.font = SMALL_FONT;
  const width = Math.max(15, canvas.measureText(text).width + 8);
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

/** Names, and how long packets take, where there is room for them. */
function drawTexts(scene: Scene, places: ReadonlyMap<string, Point>): void {
  const { canvas, camera, mesh } = scene;
  const taken = new Room(camera.width, camera.height);
  for (const [peer, place] of places) taken.claim(place, radiusOf(mesh, peer, camera.scale) * 2);
  canvas.textAlign = 'center';
  canvas.lineJoin = 'round';
  drawNames(scene, places, taken);
  if (mesh.links.size <= MOST_ROUND_TRIPS) drawRoundTrips(scene, places, taken);
}

function drawNames(scene: Scene, places: ReadonlyMap<string, Point>, taken: Room): void {
  const { canvas, mesh, camera, palette, matches, marked } = scene;
  const markedPeers = new Set(marked.map((each) => each?.peer));
  const isImportant = (peer: string) => peer === mesh.self || markedPeers.has(peer);
  const byImportance = [...places].sort(([a], [b]) => Number(isImportant(b)) - Number(isImportant(a)));
  canvas.textBaseline = 'middle';
  for (const [peer, { x, y }] of byImportance) {
    canvas.font = peer === mesh.self ? `600 ${FONT}` : FONT;
    const text = shortened(mesh.nickname(peer));
    const place = { x, y: y + radiusOf(mesh, peer, camera.scale) + 13 };
    const isFree = taken.take(place, canvas.measureText(text).width, NAME_HEIGHT);
    if (!isFree && !isImportant(peer)) continue;
    canvas.globalAlpha = (scene.layout.dots.get(peer)?.presence ?? 1) * (matches(peer) ? 1 : DIMMED);
    const isGrey = mesh.isLost(peer) || scene.isStale;
    write(scene, text, place, isGrey ? palette.lost : palette.text);
  }
}

function drawRoundTrips(scene: Scene, places: ReadonlyMap<string, Point>, taken: Room): void {
  const { canvas, mesh, palette, matches, isStale } = scene;
  const center = places.get(mesh.self);
  if (center === undefined || isStale) return;
  canvas.font = SMALL_FONT;
  for (const [peer, { rtt, loss, kind }] of mesh.links) {
    const end = places.get(peer);
    if (end === undefined || rtt === null || kind === 'none' || !matches(peer)) continue;
    const text = roundTrip(rtt) + (loss !== null && loss >= 0.01 ? `, ${percent(loss)} lost` : '');
    const width = canvas.measureText(text).width;
    if (Math.hypot(end.x - center.x, end.y - center.y) < width + 2 * RTT_ROOM) continue;
    const spot = RTT_SPOTS.map((along) => between(center, end, along)).find((each) =>
      taken.take(each, width, NAME_HEIGHT),
    );
    if (spot === undefined) continue;
    canvas.globalAlpha = 1;
    write(scene, text, spot, palette.quiet);
  }
}

function between(from: Point, to: Point, along: number): Point {
  return { x: from.x + (to.x - from.x) * along, y: from.y + (to.y - from.y) * along };
}

/** Readable whatever is below. */
function write({ canvas, palette }: Scene, text: string, { x, y }: Point, colour: string): void {
  canvas.lineWidth = 4;
  canvas.strokeStyle = palette.ground;
  canvas.strokeText(text, x, y);
  canvas.fillStyle = colour;
  canvas.fillText(text, x, y);
}

function circle(canvas: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  canvas.beginPath();
  canvas.arc(x, y, radius, 0, 2 * Math.PI);
}

function shortened(text: string): string {
  return text.length > 22 ? `${text.slice(0, 21)}…` : text;
}
