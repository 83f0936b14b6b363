// SPDX-License-Identifier: Apache-2.0
import { ascii, toHex } from '@vouchsafe/base';
import { formatFiles } from '@vouchsafe/verity/node';
import { inputPath } from '../input-path.ts';
import { requireNamedOutput } from '../outputs.ts';
import { wholeNumber } from '../parse.ts';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';
import { headerDocument, headerText } from './header-text.ts';
import {
  addFecOptions,
  addNewTreeOptions,
  type FecOptions,
  fecRequest,
  parameterOptions,
  seedOption,
  type TreeOptions,
  uuidOption,
} from './options.ts';

interface FormatOptions extends TreeOptions, FecOptions {
  readonly seed?: Uint8Array;
  readonly rootHashFile?: string;
  readonly force?: true;
  readonly threads?: number;
}

export const format: Verb = {
  define(command, session) {
    command
      .description('Makes the hash tree of DATA in HASH, and prints the root hash.')
      .argument('<DATA>', 'file or device with the data')
      .argument('<HASH>', 'file to make; or DATA itself, with --hash-offset behind the data');
    addFecOptions(addNewTreeOptions(command))
      .addOption(uuidOption())
      .addOption(seedOption())
      .option('--root-hash-file <file>', 'write the root hash to this file as well, - for standard output')
      .option('--threads <number>', 'threads to hash with (default: as the machine and the size suggest)', wholeNumber)
      .option('--force', 'replace what is there')
      .option('--json', 'print one JSON document')
      .addHelpText(
        'after',
        '\nThe same data gives the same tree: without --salt, --uuid or --seed they are derived, not random.\n\nExample:\n  vouchsafe verity format root.erofs root.hash --fec-device root.fec',
      )
      .action((dataPath: string, hashPath: string, options: FormatOptions) =>
        run(session, dataPath, hashPath, options),
      );
  },
};

async function run(session: Session, dataArgument: string, hashPath: string, options: FormatOptions): Promise<void> {
  const { rootHashFile, force = false } = options;
  requireNamedOutput(hashPath, 'HASH');
  requireNamedOutput(options.fecDevice, '--fec-device');
  if (rootHashFile === '-') session.claimOutput('--root-hash-file');
  session.whenInterrupted = force ? 'no complete tree was left' : 'nothing was left under a final name';
  const made = await formatFiles(
    {
      ...parameterOptions(options),
      dataPath: inputPath(dataArgument),
      hashPath,
      dataBlocks: options.dataBlocks,
      salt: options.salt,
      uuid: options.uuid,
      seed: options.seed,
      hashOffset: options.hashOffset,
      hasSuperblock: options.superblock,
      fec: fecRequest(options),
      rootHashPath: rootHashFile === '-' ? undefined : rootHashFile,
      force,
      threads: options.threads,
    },
    session.work,
  );
  if (rootHashFile === '-') session.writeBytes(ascii(toHex(made.rootHash)));
  const { fec } = made;
  const header = {
    ...made,
    hashPath,
    fec: fec && { roots: fec.roots, blocks: fec.paritySizeBytes / fec.blockSize, sizeBytes: fec.paritySizeBytes },
  };
  session.answer(headerText(header), headerDocument(header));
}
