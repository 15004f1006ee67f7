import { type Spawned, spawner } from '../../spawn/index.js';

/** Follows what anybody does to the forwarding databases of this host, by `bridge monitor`. */
export class ForwardingMonitor {
  readonly #onRemoved: (device: string) => void;
  #running: Spawned | undefined;
  #line = '';

  /** `onRemoved` is told the device of which an entry was removed. */
  constructor(onRemoved: (device: string) => void) {
    this.#onRemoved = onRemoved;
  }

  /** Begins, or begins again when it ended. */
  start(): void {
    if (this.#running !== undefined) return;
    this.#line = '';
    // It would not notice when this process is killed, as long as nothing happens.
    const running = spawner.start(['setpriv', '--pdeathsig', 'TERM', 'bridge', 'monitor', 'fdb'], {
      output: (piece) => this.#hear(piece.toString()),
      errorOutput: () => {},
    });
    this.#running = running;
    void running.ended.then(() => {
      if (this.#running === running) this.#running = undefined;
    });
  }

  stop(): void {
    this.#running?.kill('SIGTERM');
    this.#running = undefined;
  }

  #hear(piece: string): void {
    const lines = `${this.#line}${piece}`.split('\n');
    this.#line = (lines.pop() ?? '').slice(0, 512);
    const devices = lines.flatMap((line) => /^Deleted \S+ dev (\S+)/.exec(line)?.[1] ?? []);
    for (const device of new Set(devices)) this.#onRemoved(device);
  }
}
