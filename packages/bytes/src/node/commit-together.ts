// SPDX-License-Identifier: Apache-2.0
import type { PublishedFile } from './published-file.ts';

/** One of several outputs. What is written where it stays has no `publish`: there is no name to give it. */
export interface JointOutput {
  flush(): void;
  commit(): void;
  publish?: () => PublishedFile;
}

/**
 * Keeps all outputs, or none: all are flushed first, then each gets its name, and when one cannot have it (another program
 * has just taken it) the others' names go back to what had them. A process that is killed in between leaves some of the
 * outputs complete, and what they replaced beside them as `.NAME.PID.N.partial`.
 * @throws {BytesError} as OutputFile.commit; the caller discards what it opened.
 */
export function commitTogether(outputs: readonly JointOutput[]): void {
  for (const output of outputs) output.flush();
  const published: PublishedFile[] = [];
  try {
    for (const { publish } of outputs) if (publish !== undefined) published.push(publish());
    for (const output of outputs) if (output.publish === undefined) output.commit();
  } catch (error) {
    for (const file of published.toReversed()) file.undo();
    throw error;
  }
  for (const file of published) file.finish();
}
