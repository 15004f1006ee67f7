import { isDeepStrictEqual } from 'node:util';
import { messageOf } from '../errors.js';
import { loggable } from '../text/index.js';
import { keyOf } from './answers.js';

/** What is kept of the objects of one kind. */
export interface Resource<T> {
  /** Of the list in the API, perhaps with a query. */
  readonly path: string;
  /** As Kubernetes calls it where it says who may do what. */
  readonly name: string;
  /** What of an object is kept; undefined where it does not count. Throws what is wrong with it. */
  readonly read: (object: unknown) => T | undefined;
  /** More objects are not kept. */
  readonly most: number;
}

/** The objects of one kind at one moment, by `NAMESPACE/NAME`. What is wrong with one is kept, too, and hinders no other. */
export class Contents<T> {
  readonly objects = new Map<string, T>();
  readonly faults = new Map<string, string>();
  /** There was no room for some. */
  isWhole = true;

  constructor(private readonly resource: Resource<T>) {}

  /** True when that changes anything. Throws `kubernetes-failed` for what has no name. */
  put(object: unknown): boolean {
    const key = keyOf(object);
    const before = this.objects.get(key);
    const now = this.#read(key, object);
    if (now === undefined) return this.objects.delete(key);
    if (isDeepStrictEqual(before, now)) return false;
    if (before === undefined && this.objects.size >= this.resource.most) {
      this.isWhole = false;
      return false;
    }
    this.objects.set(key, now);
    return true;
  }

  /** True when it was there. */
  remove(object: unknown): boolean {
    const key = keyOf(object);
    this.faults.delete(key);
    return this.objects.delete(key);
  }

  #read(key: string, object: unknown): T | undefined {
    this.faults.delete(key);
    try {
      return this.resource.read(object);
    } catch (error) {
      if (this.faults.size < this.resource.most) this.faults.set(key, loggable(messageOf(error)));
      return undefined;
    }
  }
}
