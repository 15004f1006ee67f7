import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { type EventLine, sentence } from '../../../events/index.js';
import type { Happened, MeshChange } from './view.js';

/** Somebody who leaves more than this unread, or reads nothing for so many looks, is sent away: the page asks anew. */
const MAX_UNREAD = 4 * 1024 * 1024;
const MAX_BEHIND = 10;
/** How soon the page is to ask anew, in milliseconds. */
const RETRY = 1_000;

/** One open page: a stream of server-sent events. */
export class Watcher {
  readonly #response: ServerResponse;
  #behind = 0;

  constructor(response: ServerResponse) {
    this.#response = response;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`retry: ${RETRY}\n\n`);
    response.on('error', () => {}); // it is gone, which `close` says
  }

  onGone(listener: () => void): void {
    this.#response.on('close', listener);
  }

  tell(event: 'snapshot' | 'change', change: MeshChange): void {
    this.tellText(event, JSON.stringify(change));
  }

  /** Without a look on whether it reads, nothing more would be known of it than that its host did not hang up. */
  tellText(event: 'snapshot' | 'change', text: string): void {
    this.#behind = this.#response.writableNeedDrain ? this.#behind + 1 : 0;
    if (this.#behind >= MAX_BEHIND || this.#response.writableLength > MAX_UNREAD) this.#response.destroy();
    else this.#response.write(`event: ${event}\ndata: ${text}\n\n`);
  }

  /** Has the events told, until either ends. */
  follow(events: Readable): void {
    events.on('error', () => this.#response.destroy());
    events.on('end', () => this.#response.end());
    events.pipe(this.#response, { end: false });
    this.onGone(() => events.destroy());
  }
}

/** An event as the page gets it. */
export function happenedText(line: string): string {
  const event = JSON.parse(line) as EventLine;
  const { run, kind } = event;
  const [seq, time] = event.kind === 'lost' ? [null, null] : [event.seq, event.time];
  const happened: Happened = { run, seq, time, kind, text: sentence(event) };
  return `event: happened\ndata: ${JSON.stringify(happened)}\n\n`;
}
