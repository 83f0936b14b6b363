// SPDX-License-Identifier: Apache-2.0
import { statSync, writeSync } from 'node:fs';
import { FileSource, OutputFile } from '@vouchsafe/bytes/node';
import { openVerity, VerityError } from '@vouchsafe/verity';
import { knownTree } from '@vouchsafe/verity/node';
import { wholeNumber } from '../parse.ts';
import type { Session } from '../session.ts';
import type { Verb } from '../verb.ts';
import { addTreeOptions, rootHashFileOption, rootHashFrom, type TreeOptions, treeInFile } from './options.ts';

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
    command
      .description(
        'Writes a part of DATA to standard output, each block checked against the root hash before it is used.',
      )
      .argument('<DATA>', 'file or device with the data')
      .argument('<HASH>', 'file or device with the hash tree')
      .argument('[ROOT]', 'root hash, in hexadecimal');
    addTreeOptions(command)
      .addOption(rootHashFileOption())
      .option('--offset <bytes>', 'where to begin', wholeNumber, 0)
      .option('--length <bytes>', 'how much (default: to the end)', wholeNumber)
      .option('-o, --output <file>', 'where to write, - for standard output', '-')
      .option('--force', 'replace an existing output file')
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
  dataPath: string,
  hashPath: string,
  root: string | undefined,
  options: ReadOptions,
): Promise<void> {
  const rootHash = rootHashFrom(root, options.rootHashFile);
  using data = FileSource.open(dataPath);
  using hash = FileSource.open(hashPath);
  const tree = treeInFile(options, () => statSync(dataPath).size);
  const verified = openVerity({ data, hash, rootHash, ...knownTree(hash, tree) });
  const end = options.offset + (options.length ?? Math.max(0, verified.size - options.offset));
  if (end > verified.size) {
    throw new VerityError(
      'options_invalid',
      `${dataPath}: ${verified.size} octets are covered by the tree, octet ${end} is behind them`,
    );
  }
  using output =
    options.output === '-' ? undefined : OutputFile.create(options.output, { force: options.force ?? false });
  const { signal, onProgress } = session.work;
  for (let at = options.offset; at < end; at += CHUNK_BYTES) {
    const chunk = new Uint8Array(Math.min(CHUNK_BYTES, end - at));
    verified.read(at, chunk);
    if (output === undefined) writeOut(chunk);
    else output.write(at - options.offset, chunk);
    await onProgress?.({ phase: 'reading', done: at + chunk.length - options.offset, total: end - options.offset });
    signal?.throwIfAborted();
  }
  output?.commit();
}

function writeOut(bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(1, bytes, done);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
}
