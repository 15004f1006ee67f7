import type { EventKind, WeftEvent } from '../../events/index.js';

/** Maximum number of subjects whose events wait for one hook. */
const MAX_SUBJECTS = 1_024;

/**
 * The events that one hook is still to get: those of a subject one after the other, and of one kind the last only, when it falls behind. Pure.
 */
export class HookQueue {
  /** By subject, in the order in which they wait; of each what happened to it, by kind. */
  readonly #waiting = new Map<string, Map<EventKind, WeftEvent>>();
  /** Subjects of which an event is with the hook. */
  readonly #busy = new Set<string>();

  /** How many events the hook works on. */
  get running(): number {
    return this.#busy.size;
  }

  get isIdle(): boolean {
    return this.#busy.size === 0 && this.#waiting.size === 0;
  }

  /** False when so many others wait that this one is left out. */
  push(event: WeftEvent): boolean {
    const events = this.#waiting.get(event.subject) ?? new Map<EventKind, WeftEvent>();
    if (events.size === 0 && this.#waiting.size >= MAX_SUBJECTS) return false;
    events.delete(event.kind); // the newest comes last
    events.set(event.kind, event);
    this.#waiting.set(event.subject, events);
    return true;
  }

  /** The next event that the hook may get; its subject is busy until `done`. */
  take(): WeftEvent | undefined {
    for (const [subject, events] of this.#waiting) {
      const [event] = events.values();
      if (this.#busy.has(subject) || event === undefined) continue;
      events.delete(event.kind);
      this.#waiting.delete(subject);
      if (events.size > 0) this.#waiting.set(subject, events);
      this.#busy.add(subject);
      return event;
    }
    return undefined;
  }

  done({ subject }: WeftEvent): void {
    this.#busy.delete(subject);
  }
}
