import type { EventEmitter } from 'node:events';

type Handlers<T> = {
  readonly [K in keyof T]?: (...args: T[K] extends unknown[] ? T[K] : never) => void;
};

/** Listens to several events of an emitter; what it returns ends that. */
export function subscribe<T extends Record<keyof T, unknown[]>>(
  emitter: EventEmitter<T>,
  handlers: NoInfer<Handlers<T>>,
): () => void {
  // The types of node's emitters name one event at a time.
  const untyped = emitter as unknown as EventEmitter;
  const pairs = Object.entries(handlers) as [string, (...args: unknown[]) => void][];
  for (const [event, handler] of pairs) untyped.on(event, handler);
  return () => {
    for (const [event, handler] of pairs) untyped.off(event, handler);
  };
}
