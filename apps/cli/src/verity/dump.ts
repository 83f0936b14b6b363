// SPDX-License-Identifier: Apache-2.0
import { FileSource } from '@vouchsafe/bytes/node';
import { readHeader } from '@vouchsafe/verity';
import { inputPath } from '../input-path.ts';
import type { Verb } from '../verb.ts';
import { headerDocument, headerText } from './header-text.ts';
import { hashOffsetOption } from './options.ts';

export const dump: Verb = {
  define(command, session) {
    command
      .description('Shows what the superblock in HASH says.')
      .argument('<HASH>', 'file or device with the hash tree')
      .addOption(hashOffsetOption())
      .option('--json', 'print one JSON document')
      .addHelpText('after', '\nExample:\n  vouchsafe verity dump root.hash')
      .action(async (hashArgument: string, { hashOffset }: { hashOffset: number }) => {
        using hash = FileSource.open(inputPath(hashArgument));
        const parameters = readHeader(hash, hashOffset);
        const header = {
          hashPath: hashArgument,
          parameters,
          uuid: parameters.uuid,
          place: { offset: hashOffset, hasSuperblock: true },
        };
        session.answer(headerText(header), headerDocument(header));
      });
  },
};
