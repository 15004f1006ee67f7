/** Debian's Prometheus, where it is installed. With `WEFT_REQUIRE_PROMETHEUS=1` no test may be skipped for lack of it. */
import { execFile, execFileSync } from 'node:child_process';

/** Says so once for each file of tests that does without. */
export function prometheusIsMissing(): boolean {
  try {
    execFileSync('promtool', ['--version'], { stdio: 'ignore' });
    return false;
  } catch (error) {
    const text = `metrics, rules and the dashboard are not tried with Prometheus, which does not run here: ${String(error)}`;
    if (process.env.WEFT_REQUIRE_PROMETHEUS === '1') throw new Error(text);
    console.error(text);
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
