// SPDX-License-Identifier: Apache-2.0
// The options that the verbs share, by the names of the fsverity tool.
import type { FsVerityAlgorithm, FsVerityOptions } from '@vouchsafe/verity';
import type { Command } from '../arguments/command.ts';
import { Option } from '../arguments/option.ts';
import { saltBytes, wholeNumber } from '../parse.ts';

export interface FileDigestOptions {
  readonly hashAlg: FsVerityAlgorithm;
  readonly blockSize: number;
  readonly salt?: Uint8Array;
}

export function addFileDigestOptions(command: Command): Command {
  return command
    .addOption(new Option('--hash-alg <name>', 'digest').choices(['sha256', 'sha512']).default('sha256'))
    .option('--block-size <bytes>', 'size of a block', wholeNumber, 4096)
    .option('--salt <hex>', 'salt, or - for none (default: none)', saltBytes);
}

export function fileDigestOptions({ hashAlg, blockSize, salt }: FileDigestOptions): FsVerityOptions {
  return { algorithm: hashAlg, blockSize, salt: salt ?? new Uint8Array(0) };
}
