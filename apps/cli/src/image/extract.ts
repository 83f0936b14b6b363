// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path';
import type { ByteSource } from '@vouchsafe/bytes';
import { FileSource, OutputFile } from '@vouchsafe/bytes/node';
import { copySource } from '@vouchsafe/disk';
import { contentTree, extractTree, type Selection, select } from '@vouchsafe/image';
import { requireDistinctOutputs } from '../outputs.ts';
import { wholeNumber } from '../parse.ts';
import { printable } from '../printable.ts';
import type { Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';
import type { Verb } from '../verb.ts';

interface ExtractOptions extends Selection {
  readonly output: string;
  readonly tree?: true;
  readonly maxSize?: number;
  readonly sameOwner?: true;
  readonly force?: true;
}

/** 64 GiB: more than images hold, and less than would fill most disks. */
const DEFAULT_MAX_BYTES = 64 * 1024 ** 3;

export const extract: Verb = {
  define(command, session) {
    command
      .description(
        'Takes something out of an image: a partition, a file, a section of a UKI, or a tree of files into an empty folder. Nothing is written outside it, and no link is followed.',
      )
      .argument('<FILE>', 'disk image, file system, cpio archive or UKI')
      .requiredOption('-o, --output <path>', 'file, or folder for a tree; - for standard output')
      .option('--partition <which>', 'of a disk: its number, label, UUID, or type, as root or root-x86-64-verity')
      .option('--path <path>', 'file or folder in the file system')
      .option('--section <name>', 'of a UKI: .cmdline')
      .option('--tree', 'all files of the file system, instead of its octets')
      .option('--max-size <octets>', 'files of a tree may have at most (default: 64 GiB)', wholeNumber)
      .option('--same-owner', 'give files their owners and set-id bits; for root')
      .option('--force', 'replace an existing file')
      .option('--json', 'print one JSON document')
      .addHelpText(
        'after',
        '\nExample:\n  vouchsafe image extract disk.raw --partition root --path etc/os-release --output release.txt',
      )
      .action((path: string, options: ExtractOptions) => run(session, path, options));
  },
};

function run(session: Session, path: string, options: ExtractOptions): void {
  const { output, partition, section, tree } = options;
  if (tree !== undefined && (options.path !== undefined || section !== undefined)) {
    throw new UsageError('--tree takes all files; for a folder name it with --path alone');
  }
  requireDistinctOutputs([path], [output]);
  using source = FileSource.open(path);
  const selected = select(source, { partition, path: options.path, section });
  if (selected.kind === 'folder') extractFolder(session, selected.entries, options);
  else if (tree !== undefined) extractFolder(session, contentTree(selected.source), options);
  else extractFile(session, selected.source, options);
}

function extractFolder(session: Session, entries: Parameters<typeof extractTree>[0], options: ExtractOptions): void {
  const { output, maxSize = DEFAULT_MAX_BYTES, sameOwner } = options;
  if (output === '-') throw new UsageError('--output -: a tree of files goes into a folder; name one');
  session.whenInterrupted = `${output} holds what was written so far`;
  const done = extractTree(entries, resolve(output), {
    maxBytes: maxSize,
    keepsOwners: sameOwner ?? false,
    signal: session.work.signal,
  });
  const { files, directories, links, bytes, skipped, withXattrs } = done;
  const lines = [`${output}: ${files} files with ${bytes} octets, ${directories} folders, ${links} links`];
  if (skipped.length > 0) lines.push(`not made: ${skipped.length} devices, pipes or sockets, as ${skipped[0]}`);
  if (withXattrs > 0) lines.push(`extended attributes of ${withXattrs} entries were not set`);
  session.answer(printable(lines.join('\n')), { output, ...done });
}

const CHUNK_BYTES = 1024 * 1024;

function extractFile(session: Session, source: ByteSource, { output, force }: ExtractOptions): void {
  if (output === '-') {
    session.claimOutput('--output');
    for (let at = 0; at < source.size; at += CHUNK_BYTES) {
      const chunk = new Uint8Array(Math.min(CHUNK_BYTES, source.size - at));
      source.read(at, chunk);
      if (!session.writeBytes(chunk)) return;
    }
    return;
  }
  using file = OutputFile.create(output, { force: force ?? false });
  copySource(source, file, 0, session.work.signal);
  file.commit();
  session.answer(`${output}: ${source.size} octets`, { output, sizeBytes: source.size });
}
