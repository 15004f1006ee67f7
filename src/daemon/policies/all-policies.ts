import type { Labels } from '../../labels.js';
import type { NetworkPolicy, PolicyBook } from '../../policy/index.js';
import type { Scheduler } from './scheduler.js';

/** Everything that says who may speak to whom: what was applied with weft, and what a scheduler has. They add up. */
export class AllPolicies {
  constructor(
    readonly book: PolicyBook,
    readonly scheduler: Scheduler,
  ) {}

  get isEmpty(): boolean {
    return this.book.isEmpty && this.scheduler.policies.length === 0;
  }

  policies(): readonly NetworkPolicy[] {
    return [...this.book.policies(), ...this.scheduler.policies.map(({ policy }) => policy)];
  }

  get namespaces(): ReadonlyMap<string, Labels> {
    return this.scheduler.namespaces;
  }
}
