import type { PeerId } from '../../identity/index.js';
import type { Ring, Span } from '../ring/index.js';

/** Addresses that belong to another router than before. */
export interface Move {
  readonly span: Span;
  /** Undefined: there was no ring before. */
  readonly from: PeerId | undefined;
  readonly to: PeerId;
}

/** What came to this router or went from it between two rings of one range, in ascending order. Pure. */
export function movesOf(self: PeerId, before: Ring | undefined, after: Ring): readonly Move[] {
  const moves: Move[] = [];
  const former = before?.arcs ?? [];
  let at = 0;
  for (const arc of after.arcs) {
    for (let { start } = arc; start < arc.end; ) {
      const was = former[at];
      const end = Math.min(arc.end, was?.end ?? arc.end);
      const move = { span: { start, end }, from: was?.record.owner, to: arc.record.owner };
      if (move.from !== move.to && (move.from === self || move.to === self)) add(moves, move);
      if (was?.end === end) at++;
      start = end;
    }
  }
  return moves;
}

/** Neighbours that move alike are one. */
function add(moves: Move[], { span, from, to }: Move): void {
  const last = moves.at(-1);
  const joins = last?.span.end === span.start && last.from === from && last.to === to;
  if (joins) moves.pop();
  moves.push({ span: { start: joins ? last.span.start : span.start, end: span.end }, from, to });
}
