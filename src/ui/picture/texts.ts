import { percent, roundTrip } from '../format.js';
import type { Point } from './camera.js';
import { Room } from './room.js';
import { DIMMED, radiusOf, type Scene, SMALL_FONT } from './scene.js';

const FONT = '12px system-ui, sans-serif';
const NAME_HEIGHT = 14;
/** What a link needs at each side of its round trip, in pixels, and where along it there may be room. */
const RTT_ROOM = 26;
const RTT_SPOTS = [0.58, 0.7, 0.46];
/** With more links they would hide the picture. */
const MOST_ROUND_TRIPS = 60;

/** Names, and how long packets take, where there is room for them. */
export function drawTexts(scene: Scene, places: ReadonlyMap<string, Point>): void {
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
    const isFree = taken.take(place, widthOfText(canvas, text), NAME_HEIGHT);
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
    const width = widthOfText(canvas, text);
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

const widths = new Map<string, number>();
const MOST_WIDTHS = 5_000;

/** Measuring is dear, and the same texts are written again and again. */
export function widthOfText(canvas: CanvasRenderingContext2D, text: string): number {
  const key = `${canvas.font} ${text}`;
  const known = widths.get(key);
  if (known !== undefined) return known;
  if (widths.size >= MOST_WIDTHS) widths.clear();
  const { width } = canvas.measureText(text);
  widths.set(key, width);
  return width;
}

function shortened(text: string): string {
  return text.length > 22 ? `${text.slice(0, 21)}…` : text;
}
