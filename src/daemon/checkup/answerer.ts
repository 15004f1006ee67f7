import type { Clock } from '../../clock.js';
import type { PeerId } from '../../identity/index.js';
import type { Hails } from './hails.js';
import { ANSWER, type CheckMessage, encodeCheckMessage, FOUND } from './messages.js';
import type { CheckPorts } from './ports.js';

/** Between two questions of one router that are answered, in milliseconds. */
const PAUSE = 1_000;
/** Questions that are worked on at a time; the rest is dropped, and asked again. */
const MAX_AT_ONCE = 64;
/** How long a hail may come after the question that speaks of it, in milliseconds. */
const HAIL_PATIENCE = 500;

/** Answers what other routers want to know for their `weft check`. One question causes two probes and one answer at most. */
export class Answerer {
  readonly #ports: CheckPorts;
  readonly #hails: Hails;
  readonly #clock: Clock;
  /** Routers that asked less than `PAUSE` ago, or whose question is worked on. */
  readonly #resting = new Set<PeerId>();
  #working = 0;

  constructor(ports: CheckPorts, hails: Hails, clock: Clock) {
    this.#ports = ports;
    this.#hails = hails;
    this.#clock = clock;
  }

  async answer(from: PeerId, question: CheckMessage): Promise<void> {
    if (this.#working >= MAX_AT_ONCE || this.#resting.has(from)) return;
    this.#working += 1;
    this.#resting.add(from);
    this.#clock.after(PAUSE, () => this.#resting.delete(from));
    try {
      const { id } = question;
      const { mtu, sampleName, send } = this.#ports;
      const found = await this.#look(from, question);
      const sample = sampleName();
      const name = sample === undefined ? [] : [sample];
      send(from, encodeCheckMessage({ kind: ANSWER, id, mtu, name, found }));
    } finally {
      this.#working -= 1;
    }
  }

  async #look(from: PeerId, { id, mtu, name }: CheckMessage): Promise<number> {
    const { probe, answersName } = this.#ports;
    const [record] = name;
    const isNameKnown = record !== undefined && answersName(from, record);
    const [small, full, hail] = await Promise.all([
      probe(from),
      probe(from, Math.min(mtu, this.#ports.mtu)),
      this.#hails.wait(from, id, HAIL_PATIENCE),
    ]);
    return (
      (small ? FOUND.probe : 0) |
      (full ? FOUND.fullProbe : 0) |
      (hail ? FOUND.hail : 0) |
      (isNameKnown ? FOUND.name : 0)
    );
  }
}
