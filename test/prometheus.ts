/** Debian's Prometheus, where it is installed. */
import { execFile, execFileSync } from 'node:child_process';
import { untested } from './untested.js';

/** Says so once for each file of tests that does without. */
export function prometheusIsMissing(): boolean {
  try {
    execFileSync('promtool', ['--version'], { stdio: 'ignore' });
    return false;
  } catch (error) {
    untested('what Prometheus makes of metrics, rules and the dashboard', String(error));
    return true;
  }
}

/** Runs promtool; what it has to say, and whether it is content. */
export function promtool(args: readonly string[], input = ''): Promise<{ isGood: boolean; said: string }> {
  return new Promise((resolve) => {
    const child = execFile('promtool', args, (error, stdout, stderr) =>
      resolve({ isGood: error === null, said: stdout + stderr }),
    );
    child.stdin?.end(input);
  });
}
