// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ascii, parseUtf8, toHex } from '@vouchsafe/base';
import { hostError } from '@vouchsafe/bytes/node';
import {
  clampTimes,
  type DefinitionFile,
  designatorOf,
  imageSpecifiers,
  PARTITION_ARCHITECTURES,
  type PartitionArchitecture,
  parseDefinitionFile,
  partitionPlace,
  partitionTypeName,
  type TreeEntry,
} from '@vouchsafe/disk';
import { copiedTree, type DdiPartition, releaseIn, type WrittenDdi, withEmptySlots, writeDdi } from '@vouchsafe/image';
import { Option } from '../arguments/option.ts';
import { openSmallOutput, requireDistinctOutputs, type SmallOutput } from '../outputs.ts';
import { collectList, readSmallFile, wholeNumber } from '../parse.ts';
import { printable } from '../printable.ts';
import type { Session } from '../session.ts';
import { UsageError } from '../usage-error.ts';
import type { Verb } from '../verb.ts';
import { CopySource } from './copy-source.ts';
import { contentOf } from './definition-content.ts';
import {
  addMakeOptions,
  type MakeOptions,
  rootHashSigner,
  sectorSizeOf,
  sectorSizeOption,
  timestampOf,
} from './make-options.ts';

interface DiskOptions extends MakeOptions {
  readonly copySource?: string;
  readonly architecture: PartitionArchitecture;
  readonly sectorSize: string;
  readonly size?: number;
  readonly ab?: true;
  readonly excludePartitions?: readonly string[];
  readonly rootHashFile?: string;
}

export const disk: Verb = {
  define(command, session) {
    command
      .description(
        'Makes a disk image from partition definitions, the files of repart.d(5): file systems, hash trees, signatures, UUIDs that follow from root hashes. No root, no loop devices; the same input gives the same image.',
      )
      .argument('<DEFINITIONS>', 'folder with the definitions, NAME.conf')
      .option('--copy-source <path>', 'what CopyFiles= and CopyBlocks= are in: a folder, a tar archive or an OCI image')
      .addOption(
        new Option('--architecture <name>', 'what Type=root and the like mean')
          .choices([...PARTITION_ARCHITECTURES])
          .default('x86-64'),
      )
      .addOption(sectorSizeOption())
      .option('--size <bytes>', 'of the whole disk (default: as small as it can be)', wholeNumber)
      .option('--ab', 'beside root, /usr and what goes with them, an empty slot for the next version');
    addMakeOptions(command)
      .option(
        '--exclude-partitions <types>',
        'leave out partitions of these types, as esp; what the others hold does not change',
        collectList,
      )
      .option('--root-hash-file <file>', 'write the root hash there, too')
      .addHelpText(
        'after',
        '\nExample:\n  vouchsafe image disk repart.d --copy-source tree --key verity.key --certificate verity.crt -o os_1.0.raw',
      )
      .action((folder: string, options: DiskOptions) => run(session, folder, options));
  },
};

async function run(session: Session, folder: string, options: DiskOptions): Promise<void> {
  const { output, copySource, key, certificate } = options;
  const names = definitionNames(folder);
  const paths = names.map((name) => join(folder, name));
  requireDistinctOutputs([...paths, copySource, key, certificate], [output, options.rootHashFile]);
  const timestampSeconds = timestampOf(options);
  const signer = await rootHashSigner(options);
  using source = copySource === undefined ? undefined : new CopySource(copySource, session);
  const specifiers = imageSpecifiers(await releaseOf(source), options.architecture);
  const all = names.map((name, i) => {
    const text = parseUtf8(readSmallFile(paths[i] as string));
    return parseDefinitionFile(text, name, { architecture: options.architecture, specifiers });
  });
  const definitions = withoutExcluded(all, options.excludePartitions ?? []);
  using rootHashFile = openRootHashFile(session, definitions, options);
  const partitions: DdiPartition[] = [];
  for (const definition of definitions) {
    const content = await contentOf(definition, source, (file) => treeOf(file, source, timestampSeconds, options));
    partitions.push({ ...definition, content });
  }
  session.whenInterrupted = 'nothing was left under a final name';
  const written = await writeDdi(
    {
      partitions: options.ab === undefined ? partitions : withEmptySlots(partitions),
      seedUuid: options.seed,
      sectorSize: sectorSizeOf(options.sectorSize),
      timestampSeconds,
      signer,
      sizeBytes: options.size,
      path: output,
      force: options.force ?? false,
    },
    session.work,
  );
  for (const rootHash of written.rootHashes.values()) rootHashFile?.commit(ascii(toHex(rootHash)));
  session.answer(printable(writtenText(output, written)), writtenDocument(output, written));
}

/** @throws {UsageError} for a type that no definition has: it may be mistyped. */
function withoutExcluded(
  definitions: readonly DefinitionFile[],
  excluded: readonly string[],
): readonly DefinitionFile[] {
  const typesOf = ({ typeUuid }: DefinitionFile): readonly (string | undefined)[] => [
    partitionTypeName(typeUuid),
    typeUuid,
    designatorOf(typeUuid),
  ];
  const unknown = excluded.find((type) => !definitions.some((definition) => typesOf(definition).includes(type)));
  if (unknown !== undefined) throw new UsageError(`--exclude-partitions ${unknown}: no definition has this type`);
  return definitions.filter((definition) => !excluded.some((type) => typesOf(definition).includes(type)));
}

/** Its place is taken before the work begins. @throws {UsageError} where there is not one root hash. */
function openRootHashFile(
  session: Session,
  definitions: readonly DefinitionFile[],
  { rootHashFile, force }: DiskOptions,
): SmallOutput | undefined {
  if (rootHashFile === undefined) return undefined;
  const count = definitions.filter(({ verity }) => verity?.role === 'data').length;
  if (count !== 1) throw new UsageError(`--root-hash-file: expected one partition with Verity=data, found ${count}`);
  return openSmallOutput(session, rootHashFile, { option: '--root-hash-file', force });
}

/** systemd-repart takes them by the octets of their names. */
function definitionNames(folder: string): readonly string[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (cause) {
    throw hostError(folder, cause);
  }
  const found = names
    .filter((name) => name.endsWith('.conf'))
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  if (found.length === 0) throw new UsageError(`${folder}: expected definitions, NAME.conf, found none`);
  return found;
}

/** For %A and the like: what the tree itself says. */
async function releaseOf(source: CopySource | undefined): Promise<ReadonlyMap<string, string>> {
  for (const path of ['/etc/os-release', '/usr/lib/os-release']) {
    if (source === undefined || !source.has(path)) continue;
    const release = releaseIn(await source.entries(path), '', path);
    if (release !== undefined) return release;
  }
  return new Map();
}

async function treeOf(
  { copyFiles, makeDirectories, name }: DefinitionFile,
  source: CopySource | undefined,
  timestampSeconds: number,
  { allRoot }: DiskOptions,
): Promise<readonly TreeEntry[]> {
  const parts = new Map<string, readonly TreeEntry[]>();
  for (const { from } of copyFiles) {
    if (source === undefined) throw new UsageError(`${name}: CopyFiles=${from}: name where it is with --copy-source`);
    parts.set(from, await source.entries(from));
  }
  const options = { timestampSeconds, isAllRoot: allRoot ?? false };
  const tree = copiedTree(copyFiles, makeDirectories, (from) => parts.get(from) ?? [], options);
  return clampTimes(tree, timestampSeconds);
}

/** What was made, for people. */
export function writtenText(output: string, { table, sizeBytes, rootHashes }: WrittenDdi): string {
  return [
    `${output}: ${sizeBytes} octets`,
    ...table.partitions.map((partition) => {
      const { offsetBytes, sizeBytes: size } = partitionPlace(table, partition);
      const type = partitionTypeName(partition.typeUuid) ?? partition.typeUuid;
      return `${partition.index + 1}: ${partition.label} (${type}), at ${offsetBytes}, ${size} octets, UUID ${partition.uuid}`;
    }),
    ...[...rootHashes].map(([matchKey, rootHash]) => `root hash of ${matchKey}: ${toHex(rootHash)}`),
  ].join('\n');
}

/** The same for programs. */
export function writtenDocument(output: string, { table, sizeBytes, rootHashes }: WrittenDdi): unknown {
  return {
    output,
    sizeBytes,
    diskUuid: table.diskUuid,
    partitions: table.partitions.map((partition) => ({
      number: partition.index + 1,
      label: partition.label,
      type: partitionTypeName(partition.typeUuid) ?? partition.typeUuid,
      uuid: partition.uuid,
      ...partitionPlace(table, partition),
    })),
    rootHashes: Object.fromEntries([...rootHashes].map(([matchKey, rootHash]) => [matchKey, toHex(rootHash)])),
  };
}
