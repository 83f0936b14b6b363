// SPDX-License-Identifier: Apache-2.0

/** What became of one test. */
export interface TestOutcome {
  /** Path of the test file, from the root. */
  readonly file: string;
  /** The suites and tests around it, outermost first, and its own name; empty when the file itself failed. */
  readonly name: readonly string[];
  readonly status: 'passed' | 'failed' | 'skipped';
  /** Of a skip: the reason the test gives. Of a failure: the error and its stack. */
  readonly detail: string;
}

/** One test file, run to its end. */
export interface FileResult {
  readonly file: string;
  readonly outcomes: readonly TestOutcome[];
  /** What the file wrote to standard output and standard error. */
  readonly output: string;
  readonly wallMs: number;
}
