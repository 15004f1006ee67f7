import type { Happened, MeshChange } from '../../api/status/index.js';

export interface LiveListener {
  start(change: MeshChange): void;
  change(change: MeshChange): void;
  happened(event: Happened): void;
  /** Nothing comes any more: what is shown is what was. */
  lost(): void;
}

/** The router tells something each second; silence for so long (ms) means that it does not reach us. */
const SILENCE = 4_000;
const RETRY = 2_000;

/** The stream of what the router tells, opened anew whenever it breaks. */
export class Live {
  readonly #listener: LiveListener;
  #source: EventSource | undefined;
  #timer = 0;

  constructor(listener: LiveListener) {
    this.#listener = listener;
    this.#open();
  }

  #open(): void {
    const source = new EventSource('live');
    this.#source = source;
    const on = <T>(name: string, take: (value: T) => void) =>
      source.addEventListener(name, ({ data }: MessageEvent<string>) => {
        this.#expect(SILENCE);
        take(JSON.parse(data) as T);
      });
    on<MeshChange>('snapshot', (change) => this.#listener.start(change));
    on<MeshChange>('change', (change) => this.#listener.change(change));
    on<Happened>('happened', (event) => this.#listener.happened(event));
    source.addEventListener('error', () => this.#onSilence());
    this.#expect(SILENCE);
  }

  #expect(within: number): void {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.#onSilence(), within);
  }

  /** One that is refused does not try again by itself, and one that hangs does not notice. */
  #onSilence(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#listener.lost();
    this.#timer = window.setTimeout(() => this.#open(), RETRY);
  }
}
