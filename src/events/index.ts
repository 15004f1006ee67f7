/** What happens to a router, told to whoever listens: docs/observe.md. */
export { type Change, Damper } from './damper.js';
export {
  EVENTS_VERSION,
  type EventDetails,
  type EventKind,
  type EventLine,
  KINDS,
  LostLine,
  type PathWord,
  type WeftEvent,
} from './event.js';
export { Journal, type JournalOptions, type Place } from './journal.js';
export { pathWord } from './path-word.js';
export { EventStreams, JournalReader, type StreamOptions } from './reader.js';
export { sentence } from './sentence.js';
