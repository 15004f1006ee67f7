import { seededRandom } from '../../bench/sim/random.js';
import { mutated, pick, type Random } from './mutate.js';
import { Fault, isFault, type Subject, type Target } from './target.js';

/** Inputs of one episode, which is a target from its beginning. */
const EPISODE = 200;
/** Milliseconds that one input may take. */
const PATIENCE = 50;
/** How often an input must be as slow before the machine is not to blame. */
const SLOW_RUNS = 3;
/** Of one answer, and of all answers to one input, in bytes. */
const MAX_ANSWER = 1024 * 1024;
const MAX_ANSWERS = 8 * MAX_ANSWER;

export interface Report {
  readonly executions: number;
  readonly refused: number;
  readonly failure?: { readonly error: unknown; readonly inputs: readonly Buffer[] };
}

/** Runs one episode of a target, to which the seed leads. */
export async function episode(target: Target, seed: number, length = EPISODE): Promise<Report> {
  const random = seededRandom(seed);
  const inputs: Buffer[] = [];
  const make = target.make ?? ((chance: Random) => mutated(pick(chance, target.seeds), chance, target.seeds));
  const subject = await target.open();
  let refused = 0;
  try {
    for (let count = 0; count < length; count++) {
      const input = Buffer.from(make(random));
      inputs.push(input);
      if (!(await feed(target, subject, inputs))) refused++;
    }
    await subject.verify();
    return { executions: inputs.length, refused };
  } catch (error) {
    return { executions: inputs.length, refused, failure: { error, inputs } };
  }
}

/** Feeds a finding to its target again. Throws what is wrong. */
export async function replay(target: Target, inputs: readonly Buffer[]): Promise<void> {
  const subject = await target.open();
  for (let count = 1; count <= inputs.length; count++) await feed(target, subject, inputs.slice(0, count));
  await subject.verify();
}

/** The fewest of these inputs that still fail, as far as leaving out one after the other shows. */
export async function shortened(target: Target, inputs: readonly Buffer[]): Promise<readonly Buffer[]> {
  let needed = inputs;
  for (let size = inputs.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at + size <= needed.length; ) {
      const without = [...needed.slice(0, at), ...needed.slice(at + size)];
      if (await fails(target, without)) needed = without;
      else at += size;
    }
  }
  return needed;
}

async function fails(target: Target, inputs: readonly Buffer[]): Promise<boolean> {
  return replay(target, inputs).then(
    () => false,
    () => true,
  );
}

/** Feeds the last input; false when it was refused, as it may be. */
async function feed(target: Target, subject: Subject, inputs: readonly Buffer[]): Promise<boolean> {
  const input = inputs.at(-1) ?? Buffer.alloc(0);
  const began = performance.now();
  const isTaken = take(subject, input);
  if (performance.now() - began > PATIENCE) await checkSpeed(target, inputs);
  return isTaken;
}

function take(subject: Subject, input: Buffer): boolean {
  try {
    const answers = subject.take(Buffer.from(input));
    const sum = answers.reduce((total, { length }) => total + length, 0);
    const longest = Math.max(0, ...answers.map(({ length }) => length));
    if (longest > MAX_ANSWER || sum > MAX_ANSWERS) {
      throw new Fault(`the answer has ${sum} bytes, the longest piece ${longest}`);
    }
    return true;
  } catch (error) {
    if (isFault(error)) throw error;
    return false;
  }
}

/** Throws when the last input takes too long again and again. */
async function checkSpeed(target: Target, inputs: readonly Buffer[]): Promise<void> {
  let fastest = Infinity;
  for (let run = 0; run < SLOW_RUNS; run++) {
    const subject = await target.open();
    for (const input of inputs.slice(0, -1)) take(subject, input);
    const began = performance.now();
    take(subject, inputs.at(-1) ?? Buffer.alloc(0));
    fastest = Math.min(fastest, performance.now() - began);
  }
  if (fastest > PATIENCE) throw new Fault(`an input took ${fastest.toFixed(0)} ms`);
}
