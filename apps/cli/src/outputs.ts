// SPDX-License-Identifier: Apache-2.0
// Where a verb's files go, and that none goes where something else is needed.
import { isSameFile, type JointOutput, OutputFile } from '@vouchsafe/bytes/node';
import type { Session } from './session.ts';
import { UsageError } from './usage-error.ts';

/** A path that a verb was given; undefined and - (a standard stream) are passed over. */
type GivenPath = string | undefined;

/**
 * Refuses outputs that are an input or another output, by whatever name or link, before anything is made: with --force
 * they would destroy what they are made from.
 * @throws {UsageError}
 */
export function requireDistinctOutputs(inputs: readonly GivenPath[], outputs: readonly GivenPath[]): void {
  const isFile = (path: GivenPath): path is string => path !== undefined && path !== '-';
  const files = outputs.filter(isFile);
  files.forEach((output, i) => {
    const input = inputs.filter(isFile).find((path) => isSameFile(path, output));
    if (input !== undefined) throw new UsageError(`${output}: this output is also an input; choose another name`);
    if (files.slice(0, i).some((other) => isSameFile(other, output))) {
      throw new UsageError(`${output}: two outputs would go there; choose another name for one`);
    }
  });
}

/** A small output that is complete or not there at all. */
export interface SmallOutput extends Disposable {
  /** All of it at once. */
  commit(bytes: Uint8Array): void;
  /** The same, to be kept together with others by `commitTogether`; after them, where it goes to standard output. */
  joint(bytes: Uint8Array): JointOutput;
}

/**
 * Takes the output's place before the work begins, so that it cannot fail at the end.
 * @param path a file, or - for standard output.
 * @param option what names it, for messages.
 * @throws {UsageError} when standard output is taken; {BytesError} as OutputFile.create.
 */
export function openSmallOutput(
  session: Session,
  path: string,
  { option, force }: { readonly option: string; readonly force: boolean | undefined },
): SmallOutput {
  if (path === '-') {
    session.claimOutput(option);
    const commit = (bytes: Uint8Array) => void session.writeBytes(bytes);
    const joint = (bytes: Uint8Array) => ({ flush: () => undefined, commit: () => commit(bytes) });
    return { commit, joint, [Symbol.dispose]: () => undefined };
  }
  const file = OutputFile.create(path, { force: force ?? false });
  return {
    commit: (bytes) => {
      file.write(0, bytes);
      file.commit();
    },
    joint: (bytes) => {
      file.write(0, bytes);
      return file;
    },
    [Symbol.dispose]: () => file.discard(),
  };
}

/**
 * For outputs that are not written from front to back.
 * @throws {UsageError} for -.
 */
export function requireNamedOutput(path: string | undefined, option: string): void {
  if (path === '-') {
    throw new UsageError(
      `${option} -: it is not written from front to back, so it cannot go to standard output; name a file`,
    );
  }
}
