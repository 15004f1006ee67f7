import Type from 'typebox';
import { WeftError } from '../errors.js';
import { linesOf } from '../text/index.js';
import { validator } from '../validate.js';

/** An event carries all labels of its container. */
const LONGEST_EVENT = 1 << 20;

const Event = Type.Object({
  Type: Type.String(),
  Action: Type.String(),
  Actor: Type.Object({
    ID: Type.String(),
    Attributes: Type.Optional(Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()])),
  }),
  time: Type.Optional(Type.Number()),
  timeNano: Type.Optional(Type.Number()),
});
const parseEvent = validator('engine-answer', "the container engine's event", Event);

/** What happened to a container; `connected`: events before this one may have been missed. */
export type EngineEvent =
  | { readonly kind: 'connected' }
  | { readonly kind: Change; readonly id: string }
  /** It is on one more network of the engine, or on one less; before it starts, too. `at` is ms since 1970. */
  | { readonly kind: 'joined' | 'left'; readonly id: string; readonly at: number };

type Change = 'started' | 'ended' | 'renamed' | 'removed';

const CHANGES: Readonly<Record<string, Change>> = {
  start: 'started',
  die: 'ended',
  rename: 'renamed',
  destroy: 'removed',
  remove: 'removed', // as Podman calls it
};

const MOVES: Readonly<Record<string, 'joined' | 'left'>> = { connect: 'joined', disconnect: 'left' };

/** What an engine is asked to tell of. */
export const WANTED = {
  type: ['container', 'network'],
  event: [...Object.keys(CHANGES), ...Object.keys(MOVES)],
};

/** What the engine tells in a line; undefined when that concerns no container. */
export function eventOf(line: string): EngineEvent | undefined {
  if (line.trim() === '') return undefined;
  const { Type: type, Action, Actor, time = 0, timeNano } = parseEvent(JSON.parse(line));
  if (type === 'container') {
    const kind = CHANGES[Action];
    return kind === undefined ? undefined : { kind, id: Actor.ID };
  }
  const kind = type === 'network' ? MOVES[Action] : undefined;
  const id = Actor.Attributes?.container;
  if (kind === undefined || typeof id !== 'string') return undefined;
  return { kind, id, at: Math.floor(timeNano === undefined ? time * 1000 : timeNano / 1e6) };
}

/** The lines of an engine's stream of events. */
export function eventLines(pieces: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const tooLong = () =>
    new WeftError('engine-answer', `the container engine's event is longer than ${LONGEST_EVENT} bytes`);
  return linesOf(pieces, LONGEST_EVENT, tooLong);
}
