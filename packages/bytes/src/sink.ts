// SPDX-License-Identifier: Apache-2.0

/** Somewhere to write bytes at any offset. What is never written reads as zeros. */
export interface ByteSink {
  /** What to call it in messages. */
  readonly label: string;
  /** @throws {BytesError} 'no_space', 'io'. */
  write(offset: number, bytes: Uint8Array): void;
}
