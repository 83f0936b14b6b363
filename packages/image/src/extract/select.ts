// SPDX-License-Identifier: Apache-2.0
import type { ByteSource } from '@vouchsafe/bytes';
import {
  type GptPartition,
  type GptTable,
  partitionSource,
  partitionTypeName,
  readGpt,
  type TreeEntry,
} from '@vouchsafe/disk';
import { isPe, openPe, sectionSource } from '@vouchsafe/pe';
import { ImageError } from '../error.ts';
import { recogniseArtefact } from '../inspect/recognise.ts';
import { contentTree } from './content-tree.ts';

/** What of a file is meant. */
export interface Selection {
  /** Of a disk: its number from 1, its label, its type by systemd's name, or that without the architecture. */
  readonly partition?: string | undefined;
  /** Of a file system: parts between slashes. */
  readonly path?: string | undefined;
  /** Of a UKI. */
  readonly section?: string | undefined;
}

/** What was meant: octets, or a folder with what lies below it, the paths being those from the folder on. */
export type Selected =
  | { readonly kind: 'octets'; readonly source: ByteSource }
  | { readonly kind: 'folder'; readonly entries: Iterable<TreeEntry> };

/**
 * Finds a part of a file. Links inside a file system are not followed.
 * @throws {ImageError} 'not_selected' when there is no such part, or several. @throws {DiskError} @throws {PeError}
 */
export function select(source: ByteSource, { partition, path, section }: Selection): Selected {
  const volume = partition === undefined ? source : selectPartition(source, partition);
  if (path === undefined)
    return { kind: 'octets', source: section === undefined ? volume : selectSection(volume, section) };
  const found = selectPath(volume, path);
  if (section === undefined) return found;
  if (found.kind === 'folder') throw notSelected(volume, `expected a file at ${path}, found a folder`);
  return { kind: 'octets', source: selectSection(found.source, section) };
}

/** @throws {ImageError} 'not_selected'. @throws {DiskError} when the table cannot be read. */
export function selectPartition(disk: ByteSource, wanted: string): ByteSource {
  if (recogniseArtefact(disk) !== 'disk') throw notSelected(disk, 'expected a disk image, as a partition was named');
  const { table } = readGpt(disk);
  if (table === undefined) throw notSelected(disk, 'neither copy of its partition table can be read');
  const found = partitionsNamed(table, wanted);
  const [first] = found;
  if (first === undefined || found.length > 1) {
    const names = table.partitions.map(({ index, label }) => `${index + 1} (${label})`).join(', ');
    throw notSelected(disk, `expected one partition ${wanted}, found ${found.length}; there are ${names}`);
  }
  return partitionSource(disk, table, first);
}

/** By what is most exact: a number, else a label, else a type. */
function partitionsNamed({ partitions }: GptTable, wanted: string): readonly GptPartition[] {
  if (/^[0-9]{1,5}$/.test(wanted)) return partitions.filter(({ index }) => index + 1 === Number(wanted));
  const labelled = partitions.filter(({ label }) => label === wanted);
  if (labelled.length > 0) return labelled;
  return partitions.filter(({ typeUuid, uuid }) => {
    const type = partitionTypeName(typeUuid) ?? typeUuid;
    return type === wanted || uuid === wanted || withoutArchitecture(type) === wanted;
  });
}

function withoutArchitecture(type: string): string {
  const match = /^(root|usr)-.+?(-verity(?:-sig)?)?$/.exec(type);
  return match === null ? type : `${match[1]}${match[2] ?? ''}`;
}

function selectSection(source: ByteSource, name: string): ByteSource {
  if (!isPe(source)) throw notSelected(source, 'expected a PE file, as a section was named');
  const pe = openPe(source);
  const found = pe.sections.filter((section) => section.name === name);
  const [first] = found;
  if (first === undefined || found.length > 1) {
    const names = pe.sections.map((section) => section.name).join(', ');
    throw notSelected(source, `expected one section ${name}, found ${found.length}; there are ${names}`);
  }
  return sectionSource(pe, first);
}

function selectPath(volume: ByteSource, path: string): Selected {
  const wanted = path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
  let isFolder = wanted === '';
  for (const entry of contentTree(volume)) {
    if (entry.path !== wanted) continue;
    if (entry.kind === 'directory') isFolder = true;
    else if (entry.kind === 'file') return { kind: 'octets', source: entry.content };
    else if (entry.kind === 'hardlink') return selectPath(volume, entry.target);
    else
      throw notSelected(volume, `expected a file or folder at ${path}, found a ${entry.kind}, which is not followed`);
  }
  if (!isFolder) throw notSelected(volume, `nothing at ${path}`);
  return { kind: 'folder', entries: below(volume, wanted) };
}

/** The entries of a folder, as if it were the root. Hard links to the outside become what they link to. */
function* below(volume: ByteSource, folder: string): Generator<TreeEntry, void> {
  if (folder === '') {
    yield* contentTree(volume);
    return;
  }
  const prefix = `${folder}/`;
  const outside = new Map<string, string>();
  for (const entry of contentTree(volume)) {
    const isInside = entry.path.startsWith(prefix);
    if (!isInside && entry.path !== folder) continue;
    const path = isInside ? entry.path.slice(prefix.length) : '';
    if (entry.kind !== 'hardlink') yield { ...entry, path };
    else if (entry.target.startsWith(prefix))
      yield { kind: 'hardlink', path, target: entry.target.slice(prefix.length) };
    else {
      const first = outside.get(entry.target);
      outside.set(entry.target, first ?? path);
      if (first !== undefined) yield { kind: 'hardlink', path, target: first };
      else yield* linked(volume, entry.target, path);
    }
  }
}

function* linked(volume: ByteSource, target: string, path: string): Generator<TreeEntry, void> {
  for (const entry of contentTree(volume)) {
    if (entry.path !== target || entry.kind === 'hardlink') continue;
    yield { ...entry, path };
    return;
  }
}

function notSelected(source: ByteSource, problem: string): ImageError {
  return new ImageError('not_selected', `${source.label}: ${problem}`);
}
