import type { LinkStates } from '../hostnet/index.js';
import { errorFields } from './logging/index.js';
import type { Parts } from './parts/index.js';
import { type Fault, Repairs } from './repairs/index.js';

/** How often to look whether bridges and containers are still there, in milliseconds. */
const CHECK_INTERVAL = 2_000;

/** Looks after this host while a router runs: puts right what somebody changed, and notices containers that came or went. */
export class Repair {
  readonly #parts: Parts;
  readonly #repairs: Repairs;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  /** One inspection at a time. */
  #checking: Promise<unknown> = Promise.resolve();

  constructor(parts: Parts) {
    this.#parts = parts;
    const { log } = parts;
    this.#repairs = new Repairs({
      now: () => performance.now(),
      onRepaired: (what) => log.warn(`${what}: somebody changed that, it is put right`),
      onContested: (what) =>
        log.warn(
          `${what}: somebody on this host changes that again and again, so it is put right less and less often`,
        ),
      onFailed: (what, error) =>
        log.error(`${what}, and cannot be put right: ${String(error)}`, errorFields(error)),
    });
  }

  /** Begins with what earlier runs left of networks that nobody is on. */
  start(): void {
    const { networks, log } = this.#parts;
    this.#checking = networks
      .removeUnused()
      .catch((error: unknown) => log.warn(`not cleaned up: ${String(error)}`, errorFields(error)));
    this.#timer = setInterval(() => this.inspect(), CHECK_INTERVAL);
  }

  /** Resolves when nothing is changed any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#checking;
  }

  /** `lostTap`: the segment whose TAP the forwarder lost. */
  inspect(lostTap?: number): void {
    this.#checking = this.#checking.then(async () => {
      if (this.#stopped) return;
      try {
        await this.#inspect(lostTap);
      } catch (error) {
        this.#parts.log.error(`this host cannot be looked after: ${String(error)}`, errorFields(error));
      }
    });
  }

  /** What of this router on the host is not as it should be now, in sentences. */
  async findings(): Promise<string[]> {
    const { attachments, links, enforcement } = this.#parts;
    const calm = attachments.calm();
    const faults = this.#faults(await links(), calm).map(({ what }) => what);
    return [...faults, ...enforcement.faults()];
  }

  async #inspect(lostTap: number | undefined): Promise<void> {
    const { networks, attachments, names, exposures, custody, hairpins, links, docker, cni, netavark } =
      this.#parts;
    const { enforcement, kubernetes, kernelPaths } = this.#parts;
    await docker.check();
    await Promise.all([cni.check(), netavark.check()]);
    kubernetes?.check();
    await this.#parts.statusPlace.check();
    const lost = lostTap === undefined || (await networks.isServed(lostTap)) ? undefined : lostTap;
    await this.#repairs.mend(networks.faults(await links(), lost));
    // What suffered with a bridge comes back with it, and is no fault of its own.
    await Promise.all([attachments.settled(), names.settled()]);
    const calm = attachments.calm();
    const found = await links();
    await attachments.check(found.names);
    names.check(found.names);
    await exposures.check();
    for (const { port, claimed } of await custody.check()) this.#tellRefusal(port, claimed);
    await enforcement.check();
    kernelPaths?.check(found);
    await this.#repairs.mend(this.#faults(found, calm));
    await hairpins.settle();
  }

  #tellRefusal(port: string, claimed: string): void {
    const { attachments, refusals } = this.#parts;
    const { name, target } = attachments.atPort(port) ?? {};
    refusals.tell(name ?? target ?? 'a container that left', claimed);
  }

  #faults(links: LinkStates, calm: ReturnType<Parts['attachments']['calm']>): Fault[] {
    const { networks, attachments, names, exposures } = this.#parts;
    return [
      ...networks.faults(links),
      ...attachments.faults(links, calm),
      ...names.faults(links),
      ...exposures.faults(links),
    ];
  }
}
