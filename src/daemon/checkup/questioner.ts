import type { Clock } from '../../clock.js';
import { WeftError } from '../../errors.js';
import type { PeerId } from '../../identity/index.js';
import { type CheckMessage, encodeCheckMessage, FOUND, QUESTION } from './messages.js';
import type { CheckPorts } from './ports.js';

/** What may be lost on the way is tried so often. */
const TRIES = 3;
/** The other end answers within two probes; the rest is for the way. In milliseconds. */
const PATIENCE = 2_000;
/** Between the beginnings of two tries: the other end answers no more often. In milliseconds. */
const PAUSE = 1_200;
const IDS = 2 ** 32;

/** What was seen of one peer. */
export interface Findings {
  /** It answered a message. */
  readonly control: boolean;
  /** Probes were answered: of this router by the peer, and of the peer by this router. */
  readonly out: boolean;
  readonly back: boolean;
  /** So were probes as large as full packets. */
  readonly fullOut: boolean;
  readonly fullBack: boolean;
  /** A hail was sent, and it was heard. */
  readonly hailed: boolean;
  readonly heard: boolean;
  /** A name of this host is answered there, and one of the peer here; null while there is none. */
  readonly ourName: boolean | null;
  readonly theirName: boolean | null;
}

/** Nothing was seen. */
export const NOTHING: Findings = {
  control: false,
  out: false,
  back: false,
  fullOut: false,
  fullBack: false,
  hailed: false,
  heard: false,
  ourName: null,
  theirName: null,
};

export interface QuestionerPorts extends CheckPorts {
  /** Sends a hail of that number. False where a broadcast would not be sent there. */
  readonly hail: (peer: PeerId, number: number) => Promise<boolean>;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** Finds out what works between this router and a peer. */
export class Questioner {
  readonly #ports: QuestionerPorts;
  readonly #clock: Clock;
  readonly #waiting = new Map<string, (answer: CheckMessage) => void>();

  constructor(ports: QuestionerPorts, clock: Clock) {
    this.#ports = ports;
    this.#clock = clock;
  }

  /** An answer counts with the question's id, and from the router that was asked. */
  receive(from: PeerId, answer: CheckMessage): void {
    this.#waiting.get(keyOf(from, answer.id))?.(answer);
  }

  /** Tries until all works that can, or three times, or until that time. `peerMtu`: of the peer's containers. */
  async ask(peer: PeerId, peerMtu: number, deadline: number): Promise<Findings> {
    let findings = NOTHING;
    for (let i = 0; i < TRIES && this.#clock.now() < deadline; i += 1) {
      const began = this.#clock.now();
      findings = merged(findings, await this.#try(peer, peerMtu, deadline));
      if (allWorks(findings)) break;
      const rest = Math.min(began + PAUSE, deadline) - this.#clock.now();
      if (i < TRIES - 1 && rest > 0) await this.#rest(rest);
    }
    return findings;
  }

  async #try(peer: PeerId, peerMtu: number, deadline: number): Promise<Findings> {
    const { mtu, hail, probe, random, sampleName } = this.#ports;
    const id = Math.floor(random() * IDS);
    const sample = sampleName();
    const name = sample === undefined ? [] : [sample];
    const hailed = await hail(peer, id);
    const [answer, out, fullOut] = await Promise.all([
      this.#question(peer, { kind: QUESTION, id, mtu, name, found: 0 }, deadline),
      probe(peer),
      probe(peer, Math.min(mtu, peerMtu)),
    ]);
    const told = answer === undefined ? {} : this.#read(peer, answer, sample !== undefined);
    return { ...NOTHING, out, fullOut, hailed, ...told };
  }

  #question(peer: PeerId, question: CheckMessage, deadline: number): Promise<CheckMessage | undefined> {
    const key = keyOf(peer, question.id);
    return new Promise((resolve) => {
      const done = (answer?: CheckMessage) => {
        cancel();
        this.#waiting.delete(key);
        resolve(answer);
      };
      const patience = Math.max(0, Math.min(PATIENCE, deadline - this.#clock.now()));
      const cancel = this.#clock.after(patience, done);
      this.#waiting.set(key, done);
      if (!this.#ports.send(peer, encodeCheckMessage(question))) done();
    });
  }

  #read(peer: PeerId, { found, name: [record] }: CheckMessage, isNamed: boolean): Partial<Findings> {
    return {
      control: true,
      back: (found & FOUND.probe) !== 0,
      fullBack: (found & FOUND.fullProbe) !== 0,
      heard: (found & FOUND.hail) !== 0,
      ourName: isNamed ? (found & FOUND.name) !== 0 : null,
      theirName: record === undefined ? null : this.#answers(peer, record),
    };
  }

  /** What the peer calls a record may be none. */
  #answers(peer: PeerId, record: string): boolean {
    try {
      return this.#ports.answersName(peer, record);
    } catch (error) {
      if (!(error instanceof WeftError)) throw error;
      return false;
    }
  }

  #rest(duration: number): Promise<void> {
    return new Promise((resolve) => this.#clock.after(duration, resolve));
  }
}

/** What works in one try does work; of names the last try tells. */
function merged(former: Findings, last: Findings): Findings {
  return {
    control: former.control || last.control,
    out: former.out || last.out,
    back: former.back || last.back,
    fullOut: former.fullOut || last.fullOut,
    fullBack: former.fullBack || last.fullBack,
    hailed: former.hailed || last.hailed,
    heard: former.heard || last.heard,
    ourName: last.ourName ?? former.ourName,
    theirName: last.theirName ?? former.theirName,
  };
}

function allWorks(findings: Findings): boolean {
  return !Object.values(findings).includes(false);
}

function keyOf(peer: PeerId, id: number): string {
  return `${peer} ${id}`;
}
