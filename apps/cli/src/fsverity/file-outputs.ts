// SPDX-License-Identifier: Apache-2.0
// The tree and the descriptor of a file, for those who store them themselves; by the names of the fsverity tool.
import { commitTogether, OutputFile } from '@vouchsafe/bytes/node';
import { encodeFsVerityDescriptor, type FsVerityDescription } from '@vouchsafe/verity';
import type { Command } from '../arguments/command.ts';
import { requireNamedOutput } from '../outputs.ts';

export interface FileOutputOptions {
  readonly outMerkleTree?: string;
  readonly outDescriptor?: string;
  readonly force?: true;
}

export function addFileOutputOptions(command: Command, condition: string): Command {
  return command
    .option('--out-merkle-tree <file>', `write the tree too${condition}`)
    .option('--out-descriptor <file>', `write the descriptor too${condition}`);
}

/** Takes the outputs' places before the work begins. */
export class FileOutputs implements Disposable {
  readonly tree: OutputFile | undefined;
  readonly #descriptor: OutputFile | undefined;
  readonly files: OutputFile[] = [];

  constructor({ outMerkleTree, outDescriptor, force }: FileOutputOptions) {
    requireNamedOutput(outMerkleTree, '--out-merkle-tree');
    requireNamedOutput(outDescriptor, '--out-descriptor');
    const create = (path: string | undefined): OutputFile | undefined => {
      if (path === undefined) return undefined;
      const file = OutputFile.create(path, { force: force ?? false });
      this.files.push(file);
      return file;
    };
    try {
      this.tree = create(outMerkleTree);
      this.#descriptor = create(outDescriptor);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  describe(description: FsVerityDescription): void {
    this.#descriptor?.write(0, encodeFsVerityDescriptor(description));
  }

  commit(): void {
    commitTogether(this.files);
  }

  [Symbol.dispose](): void {
    for (const file of this.files) file.discard();
  }
}
