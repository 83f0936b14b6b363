// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { FileSource, OutputFile } from '@vouchsafe/bytes/node';
import { openVerity, type VerifiedData, VerityError } from '@vouchsafe/verity';
import { knownTree } from '@vouchsafe/verity/node';
import { requireDistinctOutputs } from '../outputs.ts';
import { wholeNumber } from '../parse.ts';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';
import {
  addTreeArguments,
  addTreeOptions,
  rootHashFileOption,
  rootHashFrom,
  type TreeOptions,
  treeInFile,
  treePaths,
} from './options.ts';

interface ReadOptions extends TreeOptions {
  readonly rootHashFile?: string;
  readonly offset: number;
  readonly length?: number;
  readonly output: string;
  readonly force?: true;
}

const CHUNK_BYTES = 1024 * 1024;

export const read: Verb = {
  define(command, session) {
    command.description(
      'Writes a part of DATA to standard output, each block checked against the root hash before it is used.',
    );
    addTreeOptions(addTreeArguments(command))
      .addOption(rootHashFileOption())
      .option('--offset <bytes>', 'where to begin', wholeNumber, 0)
      .option('--length <bytes>', 'how much (default: to the end)', wholeNumber)
      .option('-o, --output <file>', 'where to write, - for standard output', '-')
      .option('--force', 'replace an existing output file')
      .option('--json', 'print one JSON document; with --output FILE')
      .addHelpText(
        'after',
        '\nExample:\n  vouchsafe verity read root.erofs root.hash $(cat root.roothash) --offset 1024 --length 128 | xxd',
      )
      .action((dataPath: string, hashPath: string, root: string | undefined, options: ReadOptions) =>
        run(session, dataPath, hashPath, root, options),
      );
  },
};

async function run(
  session: Session,
  dataArgument: string,
  hashArgument: string,
  root: string | undefined,
  options: ReadOptions,
): Promise<void> {
  if (options.output === '-') session.claimOutput('--output');
  const { dataPath, hashPath } = treePaths(dataArgument, hashArgument);
  requireDistinctOutputs([dataPath, hashPath, options.rootHashFile], [options.output]);
  const rootHash = rootHashFrom(root, options.rootHashFile);
  using data = FileSource.open(dataPath);
  using hash = FileSource.open(hashPath);
  const tree = treeInFile(options, { dataPath, hashPath });
  const verified = openVerity({ data, hash, rootHash, ...knownTree(hash, tree) });
  const end = options.offset + (options.length ?? Math.max(0, verified.size - options.offset));
  if (end > verified.size) {
    throw new VerityError(
      'options_invalid',
      `${dataPath}: ${verified.size} octets are covered by the tree, octet ${end} is behind them`,
    );
  }
  const range = { start: options.offset, end };
  if (options.output === '-') {
    await copyRange(session, verified, range, (_, chunk) => session.writeBytes(chunk));
    return;
  }
  using output = OutputFile.create(options.output, { force: options.force ?? false });
  session.whenInterrupted = 'nothing was left under a final name';
  await copyRange(session, verified, range, (at, chunk) => {
    output.write(at, chunk);
    return true;
  });
  output.commit();
  session.answer('', {
    output: options.output,
    offset: range.start,
    sizeBytes: range.end - range.start,
    rootHash: toHex(rootHash),
  });
}

/** @param write gets each chunk with its place in the output; false ends the work quietly. */
async function copyRange(
  session: Session,
  source: VerifiedData,
  { start, end }: { readonly start: number; readonly end: number },
  write: (at: number, chunk: Uint8Array) => boolean,
): Promise<void> {
  const { signal, onProgress } = session.work;
  for (let at = start; at < end; at += CHUNK_BYTES) {
    const chunk = new Uint8Array(Math.min(CHUNK_BYTES, end - at));
    source.read(at, chunk);
    if (!write(at - start, chunk)) return;
    await onProgress?.({ phase: 'reading', done: at + chunk.length - start, total: end - start });
    signal?.throwIfAborted();
  }
}
