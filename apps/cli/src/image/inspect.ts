// SPDX-License-Identifier: Apache-2.0
import { FileSource } from '@vouchsafe/bytes/node';
import { describeArtefact } from '@vouchsafe/image';
import { inputPath } from '../input-path.ts';
import { printable } from '../printable.ts';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';
import { artefactLines } from './artefact-text.ts';

export const inspect: Verb = {
  define(command, session) {
    command
      .description(
        'Says what a file is, by its content, and what is in it: disks, partitions, file systems, UKIs, hash trees, initrds, manifests, keys, variable stores, boot logs. Nothing is verified.',
      )
      .argument('<FILE>', 'file to look at, - for standard input')
      .option('--digests', 'digests of everything (SHA-256), which reads all of it')
      .option('--json', 'print one JSON document')
      .addHelpText('after', '\nExample:\n  vouchsafe image inspect disk.raw')
      .action((path: string, options: { readonly digests?: true }) => run(session, path, options.digests ?? false));
  },
};

function run(session: Session, path: string, allDigests: boolean): void {
  using source = FileSource.open(inputPath(path));
  const description = describeArtefact(source, { allDigests });
  session.answer(artefactLines(description).map(printable).join('\n'), description);
}
