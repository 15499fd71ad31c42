import { mkdirSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/** scripts/run-tests.sh checks for it: a run without it did not pass. */
const TOTALS_FILE = path.resolve(import.meta.dirname, '..', '..', '.cdvault', 'test-totals');

/** Ends the run with one line: `N passed, N failed[, N skipped]`. */
export default class TotalsReporter implements Reporter {
  onInit(): void {
    rmSync(TOTALS_FILE, { force: true });
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const count = { passed: 0, failed: unhandled.length, skipped: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        count[state === 'pending' ? 'failed' : state] += 1;
      }
      // A file that can't be loaded, or whose hook fails, has no failed test.
      count.failed += module.errors().length;
      for (const suite of module.children.allSuites()) count.failed += suite.errors().length;
    }
    // Nothing ran: the set-up failed, or no file matched. Both count as a failure.
    if (count.passed + count.failed === 0) count.failed = 1;
    if (count.failed > 0) process.exitCode = 1;
    const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : '';
    const line = `${count.passed} passed, ${count.failed} failed${skipped}\n`;
    mkdirSync(path.dirname(TOTALS_FILE), { recursive: true });
    writeFileSync(TOTALS_FILE, line);
    // After the summary of the default reporter and after the services' teardown.
    process.once('exit', () => writeSync(1, line));
  }
}
