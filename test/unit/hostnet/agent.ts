/** Runs in a network namespace of its own and does there what the test asks over IPC: calls functions of hostnet. */
import * as hostnet from '../../../src/hostnet/index.js';

const functions = { ...hostnet };

interface Call {
  readonly id: number;
  readonly name: keyof typeof functions;
  readonly args: readonly unknown[];
}

process.on('message', async ({ id, name, args }: Call) => {
  try {
    const call = functions[name] as (...args: readonly unknown[]) => unknown;
    process.send?.({ id, value: await call(...args) });
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    process.send?.({ id, error: { code, message } });
  }
});
process.send?.({ ready: true });
