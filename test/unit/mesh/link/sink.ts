import { EventEmitter } from 'node:events';

/** Enough of a stream for whoever writes to it: it takes everything, and only notes that it is destroyed. */
export class Sink extends EventEmitter {
  destroyed = false;
  writableLength = 0;
  alloc = (length: number) => Buffer.alloc(length);
  write = () => true;
  end(): void {}
  pause(): void {}
  resume(): void {}
  destroy(): void {
    this.destroyed = true;
  }
}
