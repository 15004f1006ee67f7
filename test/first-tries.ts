import type { Reporter, TestCase } from 'vitest/node';

/** Tells why a test failed at its first try when the second one succeeded: rare faults of weft begin as such. */
export class FirstTries implements Reporter {
  onTestCaseResult(test: TestCase): void {
    if (test.diagnostic()?.flaky !== true) return;
    const reasons = (test.result().errors ?? []).map(({ message, stack }) => stack ?? message);
    console.error(
      [`${test.module.relativeModuleId}: "${test.fullName}" needed a second try`, ...reasons].join('\n'),
    );
  }
}
