// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { FileSource } from '@vouchsafe/bytes/node';
import { encodeFormattedDigest, type FsVerityDescription, fsVerityDigest, measureFsVerity } from '@vouchsafe/verity';
import { inputPath } from '../input-path.ts';
import { requireDistinctOutputs } from '../outputs.ts';
import type { Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';
import type { Verb } from '../verb.ts';
import { addFileOutputOptions, type FileOutputOptions, FileOutputs } from './file-outputs.ts';
import { addFileDigestOptions, type FileDigestOptions, fileDigestOptions } from './options.ts';

interface DigestOptions extends FileDigestOptions, FileOutputOptions {
  readonly compact?: true;
  readonly forBuiltinSig?: true;
}

export const digest: Verb = {
  define(command, session) {
    command.description('Prints the fs-verity digest of each file.').argument('<FILE...>', 'files');
    addFileOutputOptions(addFileDigestOptions(command), ' (for one FILE)')
      .option('--compact', 'only the digest, without algorithm and name')
      .option('--for-builtin-sig', 'print what the built-in signature of the kernel is over, in hexadecimal')
      .option('--force', 'replace existing output files')
      .option('--json', 'print one JSON document')
      .addHelpText('after', '\nExample:\n  vouchsafe fsverity digest /usr/bin/*')
      .action((files: string[], options: DigestOptions) => run(session, files, options));
  },
};

interface Result {
  readonly file: string;
  readonly algorithm: string;
  readonly digest: string;
  /** struct fsverity_formatted_digest, where it is asked for. */
  readonly formattedDigest?: string;
}

async function run(session: Session, files: readonly string[], options: DigestOptions): Promise<void> {
  const { outMerkleTree, outDescriptor } = options;
  if (files.length > 1 && (outMerkleTree ?? outDescriptor) !== undefined) {
    throw new UsageError('one file at a time with --out-merkle-tree or --out-descriptor');
  }
  const paths = files.map(inputPath);
  requireDistinctOutputs(paths, [outMerkleTree, outDescriptor]);
  using outputs = new FileOutputs(options);
  if ((outMerkleTree ?? outDescriptor) !== undefined) session.whenInterrupted = 'nothing was left under a final name';
  const results: Result[] = [];
  for (const [i, path] of paths.entries()) {
    using file = FileSource.open(path);
    const description = await measureFsVerity(file, fileDigestOptions(options), outputs.tree, session.work);
    outputs.describe(description);
    results.push(resultOf(files[i] as string, description, options));
  }
  outputs.commit();
  session.answer(results.map((result) => lineOf(result, options)).join('\n'), { files: results });
}

function resultOf(file: string, description: FsVerityDescription, { forBuiltinSig }: DigestOptions): Result {
  const { algorithm } = description;
  const bytes = fsVerityDigest(description);
  const result = { file, algorithm, digest: toHex(bytes) };
  return forBuiltinSig
    ? { ...result, formattedDigest: toHex(encodeFormattedDigest({ algorithm, digest: bytes })) }
    : result;
}

/** As fsverity prints it: what is formatted for a signature carries its algorithm. */
function lineOf(result: Result, { compact }: DigestOptions): string {
  const text = result.formattedDigest ?? result.digest;
  if (compact) return text;
  return `${result.formattedDigest === undefined ? `${result.algorithm}:` : ''}${text} ${result.file}`;
}
