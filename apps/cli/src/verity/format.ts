// SPDX-License-Identifier: Apache-2.0
import { toHex, utf8 } from '@vouchsafe/base';
import { OutputFile } from '@vouchsafe/bytes/node';
import { parseAlgorithm } from '@vouchsafe/verity';
import { formatFiles } from '@vouchsafe/verity/node';
import { wholeNumber } from '../parse.ts';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';
import { headerDocument, headerText } from './header-text.ts';
import {
  addFecOptions,
  addTreeOptions,
  type FecOptions,
  fecRequest,
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
    addFecOptions(addTreeOptions(command))
      .addOption(uuidOption())
      .addOption(seedOption())
      .option('--root-hash-file <file>', 'write the root hash to this file as well')
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

async function run(session: Session, dataPath: string, hashPath: string, options: FormatOptions): Promise<void> {
  const force = options.force ?? false;
  // Its place is taken before the work begins, so that it cannot fail at the end.
  using rootHashFile =
    options.rootHashFile === undefined ? undefined : OutputFile.create(options.rootHashFile, { force });
  const made = await formatFiles(
    {
      dataPath,
      hashPath,
      hashType: options.format,
      algorithm: parseAlgorithm(options.hash),
      dataBlockSize: options.dataBlockSize,
      hashBlockSize: options.hashBlockSize,
      dataBlocks: options.dataBlocks,
      salt: options.salt,
      uuid: options.uuid,
      seed: options.seed,
      hashOffset: options.hashOffset,
      hasSuperblock: options.superblock,
      fec: fecRequest(options),
      force,
      threads: options.threads,
    },
    session.work,
  );
  if (rootHashFile !== undefined) {
    rootHashFile.write(0, utf8(toHex(made.rootHash)));
    rootHashFile.commit();
  }
  const { fec } = made;
  const header = {
    ...made,
    hashPath,
    fec: fec && { roots: fec.roots, blocks: fec.paritySizeBytes / fec.blockSize, sizeBytes: fec.paritySizeBytes },
  };
  session.answer(headerText(header), headerDocument(header));
}
