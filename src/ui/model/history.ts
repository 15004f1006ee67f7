import type { Mesh } from './mesh.js';

/** How far back the curves go, in milliseconds. */
const SPAN = 300_000;

/** Columns of equal length, as the curves want them; times in seconds. */
export interface Course {
  readonly times: number[];
  readonly rtts: (number | null)[];
  readonly sent: number[];
  readonly received: number[];
}

const newCourse = (): Course => ({ times: [], rtts: [], sent: [], received: [] });

/** What was measured since the page was opened, of the last minutes. */
export class History {
  readonly #courses = new Map<string, Course>();
  readonly total = newCourse();

  of(peer: string): Course {
    return this.#courses.get(peer) ?? newCourse();
  }

  note(mesh: Mesh, now: number): void {
    append(this.total, now, null, mesh.total());
    for (const peer of this.#courses.keys()) if (!mesh.links.has(peer)) this.#courses.delete(peer);
    for (const [peer, { rtt, kind }] of mesh.links) {
      const course = this.#courses.get(peer) ?? newCourse();
      this.#courses.set(peer, course);
      append(course, now, kind === 'none' ? null : rtt, mesh.rate(peer));
    }
  }
}

function append(
  course: Course,
  now: number,
  rtt: number | null,
  rate: { sent: number; received: number },
): void {
  const { times, rtts, sent, received } = course;
  times.push(now / 1000);
  rtts.push(rtt);
  sent.push(rate.sent * 8);
  received.push(rate.received * 8);
  if ((times[0] ?? now) * 1000 >= now - SPAN) return;
  for (const column of [times, rtts, sent, received]) column.shift();
}
