// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { FileSource, OutputFile } from '@vouchsafe/bytes/node';
import { encodeFsVerityDescriptor, fsVerityDigest, measureFsVerity, VerityError } from '@vouchsafe/verity';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';
import { addFileDigestOptions, type FileDigestOptions, fileDigestOptions } from './options.ts';

interface DigestOptions extends FileDigestOptions {
  readonly compact?: true;
  readonly outMerkleTree?: string;
  readonly outDescriptor?: string;
  readonly force?: true;
}

export const digest: Verb = {
  define(command, session) {
    command.description('Prints the fs-verity digest of each file.').argument('<FILE...>', 'files');
    addFileDigestOptions(command)
      .option('--compact', 'only the digest, without algorithm and name')
      .option('--out-merkle-tree <file>', 'write the tree too (for one FILE)')
      .option('--out-descriptor <file>', 'write the descriptor too (for one FILE)')
      .option('--force', 'replace existing output files')
      .option('--json', 'print one JSON document')
      .addHelpText('after', '\nExample:\n  vouchsafe fsverity digest /usr/bin/*')
      .action((files: string[], options: DigestOptions) => run(session, files, options));
  },
};

async function run(session: Session, files: readonly string[], options: DigestOptions): Promise<void> {
  const { outMerkleTree, outDescriptor } = options;
  const force = options.force ?? false;
  if (files.length > 1 && (outMerkleTree ?? outDescriptor) !== undefined) {
    throw new VerityError('options_invalid', 'one file at a time with --out-merkle-tree or --out-descriptor');
  }
  using tree = outMerkleTree === undefined ? undefined : OutputFile.create(outMerkleTree, { force });
  using descriptor = outDescriptor === undefined ? undefined : OutputFile.create(outDescriptor, { force });
  const results: { file: string; algorithm: string; digest: string }[] = [];
  for (const path of files) {
    using file = FileSource.open(path);
    const description = await measureFsVerity(file, fileDigestOptions(options), tree, session.work);
    descriptor?.write(0, encodeFsVerityDescriptor(description));
    results.push({ file: path, algorithm: description.algorithm, digest: toHex(fsVerityDigest(description)) });
  }
  tree?.commit();
  descriptor?.commit();
  const line = (r: (typeof results)[number]): string =>
    options.compact ? r.digest : `${r.algorithm}:${r.digest} ${r.file}`;
  session.answer(results.map(line).join('\n'), { files: results });
}
