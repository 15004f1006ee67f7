import type { EnforcementActivity } from '../../api/status/index.js';
import { messageOf } from '../../errors.js';
import {
  type Denial,
  type Denied,
  type PolicyFilter,
  RESOLVER_ADDRESS,
  RESOLVER_ADDRESS6,
} from '../../hostnet/index.js';
import { localAddresses } from '../../net/index.js';
import { compile } from '../../policy/index.js';
import { errorFields, type Log } from '../logging/index.js';
import type { AllPolicies } from './all-policies.js';
import type { Pods } from './pods.js';

/** Time for which changes of others are gathered, in milliseconds, and how much longer where compiling takes long: so many times as long as it took. */
const GATHERING = { least: 100, factor: 4 };
/** Least time between two looks at the rules, in milliseconds: each starts a command. */
const LOOK_INTERVAL = 5_000;

export interface EnforcementOptions {
  readonly filter: PolicyFilter;
  readonly policies: AllPolicies;
  readonly pods: Pods;
  readonly log: Log;
}

/** Keeps what this host lets pass at what the policies say. Without any policy there are no rules, and nothing costs anything. */
export class Enforcement {
  readonly #options: EnforcementOptions;
  #last: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  #gathering: NodeJS.Timeout | undefined;
  #pause = GATHERING.least;
  #lookedAt = 0;
  #host: readonly string[] = [];
  #fault: string | undefined;
  #isApplying = false;
  /** When this host heard of the first change that is not in force yet. */
  #heardAt: number | undefined;
  #lag: EnforcementActivity = { last: 0, total: 0, count: 0 };
  #isBegun = false;
  #isEnded = false;

  constructor(options: EnforcementOptions) {
    this.#options = options;
  }

  /** Once it is known what is on the disk: rules of an earlier run go, unless others are about to take their place. */
  async start(): Promise<void> {
    const { policies, filter } = this.#options;
    if (policies.isEmpty) await filter.drop().catch(() => {}); // there is no nft, so no table either
  }

  /**
   * The containers of earlier runs are known again, and rules of these can be made. Until then the rules of a run that crashed stay in force: rules of some
   * containers only would open the others.
   */
  async begin(): Promise<void> {
    this.#isBegun = true;
    await this.settled().catch(() => {}); // it is a fault, and tried again
  }

  /** Something has changed that is not in force yet. */
  get isPending(): boolean {
    return this.#gathering !== undefined || this.#next !== undefined || this.#isApplying;
  }

  /** Something has changed, which will be in force soon. */
  changed(): void {
    if (!this.#isBegun) return;
    this.#heardAt ??= performance.now();
    this.#gathering ??= setTimeout(() => this.settled().catch(() => {}), this.#pause);
  }

  /** How long changes took until they were in force. */
  get lag(): EnforcementActivity {
    return this.#lag;
  }

  /** Resolves when what is so now is in force. Rejects when the kernel or nft cannot do this. */
  settled(): Promise<void> {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    if (this.#isEnded) return Promise.resolve();
    this.#next ??= this.#last
      .catch(() => {})
      .then(async () => {
        this.#next = undefined;
        await this.#apply();
      });
    this.#last = this.#next;
    return this.#next;
  }

  /** Makes again what somebody removed, tries again what failed, and follows the addresses of the host. */
  async check(): Promise<void> {
    const { filter, log } = this.#options;
    if (this.#isEnded) return;
    const hasMoved = filter.isWritten && hostAddresses().join() !== this.#host.join();
    if (hasMoved || this.#fault !== undefined) await this.settled().catch(() => {});
    if (performance.now() - this.#lookedAt < LOOK_INTERVAL) return;
    this.#lookedAt = performance.now();
    if (await filter.mend())
      log.warn('the rules of the policies were changed by somebody, making them again');
  }

  /** What keeps policies from being enforced here, as a sentence. */
  faults(): string[] {
    return this.#fault === undefined ? [] : [this.#fault];
  }

  /** Packets that were denied on this host. */
  denied(): Promise<Denied> {
    return this.#options.filter.denied();
  }

  /** What was denied on this host lately. */
  denials(): Promise<Denial[]> {
    return this.#options.filter.denials();
  }

  /** Takes the rules away; nothing is enforced from now on. */
  async drop(): Promise<void> {
    this.#isEnded = true;
    clearTimeout(this.#gathering);
    await this.#last.catch(() => {});
    if (this.#options.filter.isWritten) await this.#options.filter.drop().catch(() => {});
  }

  async #apply(): Promise<void> {
    const { filter, policies, pods } = this.#options;
    const started = performance.now();
    const heardAt = this.#heardAt;
    this.#heardAt = undefined;
    this.#isApplying = true;
    try {
      if (!policies.isEmpty) {
        this.#host = hostAddresses();
        const rules = compile({
          policies: policies.policies(),
          pods: pods.all(),
          namespaces: policies.namespaces,
        });
        await filter.apply(rules, this.#host);
      } else if (filter.isWritten) await filter.drop();
      this.#fault = undefined;
      if (heardAt !== undefined) this.#inForce(performance.now() - heardAt);
    } catch (error) {
      this.#heardAt ??= heardAt;
      this.#fail(error);
      throw error;
    } finally {
      this.#isApplying = false;
    }
    this.#pause = GATHERING.least + GATHERING.factor * (performance.now() - started);
  }

  #inForce(milliseconds: number): void {
    const { total, count } = this.#lag;
    const last = milliseconds / 1_000;
    this.#lag = { last, total: total + last, count: count + 1 };
  }

  #fail(error: unknown): void {
    const fault = `network policies are not enforced on this host: ${messageOf(error)}`;
    if (this.#fault !== fault) this.#options.log.error(fault, errorFields(error));
    this.#fault = fault;
  }
}

/** Where the host itself is reached, and its DNS server, which is in a namespace of its own. */
export function hostAddresses(): string[] {
  return [...new Set([...localAddresses(), RESOLVER_ADDRESS, RESOLVER_ADDRESS6])].sort();
}
