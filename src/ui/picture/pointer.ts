import type { Selection } from '../kinds.js';
import type { Camera, Point } from './camera.js';
import type { Dot, Layout } from './layout.js';

/** Pixels that a finger may slip and still have pressed. */
const SLIP = 4;

/** What is pointed at. */
export interface Pointed {
  readonly element: HTMLElement;
  readonly camera: Camera;
  readonly layout: Layout;
  readonly options: { readonly onChoose: (selection: Selection | undefined) => void };
  /** What is at a place of the element. */
  at(place: Point): Selection | undefined;
  /** The pointer is there, without a button pressed. */
  point(found: Selection | undefined, place: Point): void;
  redraw(): void;
}

/** Hosts are dragged, the ground moves the whole picture, a press chooses, the wheel zooms. */
export function listenToPointer(picture: Pointed): void {
  const { element, camera, layout } = picture;
  let drag: { readonly dot: Dot | undefined; readonly from: Point; last: Point; isMove: boolean } | undefined;

  element.addEventListener('pointerdown', (event) => {
    const at = pointOf(event);
    const found = picture.at(at);
    const dot = found?.what === 'host' ? layout.dots.get(found.peer) : undefined;
    drag = { dot, from: at, last: at, isMove: false };
    element.setPointerCapture(event.pointerId);
  });
  element.addEventListener('pointermove', (event) => {
    const at = pointOf(event);
    if (drag === undefined) return picture.point(picture.at(at), at);
    drag.isMove ||= Math.hypot(at.x - drag.from.x, at.y - drag.from.y) > SLIP;
    if (!drag.isMove) return;
    const place = camera.toPicture(at);
    if (drag.dot === undefined) camera.pan(at.x - drag.last.x, at.y - drag.last.y);
    else layout.hold(drag.dot, place.x, place.y);
    drag.last = at;
    picture.redraw();
  });
  element.addEventListener('pointerup', (event) => {
    if (drag?.isMove === false) picture.options.onChoose(picture.at(pointOf(event)));
    drag = undefined;
  });
  element.addEventListener('pointercancel', () => {
    drag = undefined;
  });
  element.addEventListener('pointerleave', (event) => picture.point(undefined, pointOf(event)));
  element.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      camera.zoom(Math.exp(-event.deltaY / 500), pointOf(event));
      picture.redraw();
    },
    { passive: false },
  );
}

function pointOf({ offsetX, offsetY }: MouseEvent): Point {
  return { x: offsetX, y: offsetY };
}
