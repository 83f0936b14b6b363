// SPDX-License-Identifier: Apache-2.0
import type { ByteSource } from '@vouchsafe/bytes';
import {
  erofsTree,
  type GptPartition,
  type GptTable,
  listFat,
  openErofs,
  openFat,
  openFatFile,
  partitionPlace,
  partitionSource,
  requireGpt,
} from '@vouchsafe/disk';
import { openPe } from '@vouchsafe/pe';
import { ImageError } from '../error.ts';
import { recogniseArtefact } from '../inspect/recognise.ts';
import type { InstalledPackage } from '../packages/installed-package.ts';
import { readInstalledPackages } from '../packages/read-installed-packages.ts';
import { erofsFileSizes, type FileSize, folderTree } from './file-sizes.ts';
import { type PackageSize, packageSizes } from './package-sizes.ts';
import { bySize, leaf, nodeOf, type SizeNode } from './size-node.ts';

/** What takes the space of an image. */
export interface SizeReport {
  readonly whole: SizeNode;
  /** Of the EROFS file systems in it, largest first. */
  readonly files: readonly FileSize[];
  /** By what package managers say, largest first. */
  readonly packages: readonly PackageSize[];
}

export interface SizeReportOptions {
  /** What is installed, where the image does not say it. */
  readonly packages?: readonly InstalledPackage[] | undefined;
}

/**
 * Says what takes the space of a disk, a file system (EROFS, FAT) or a program for UEFI: partitions, folders, files,
 * sections, packages. Of files it reads where they are, not what is in them.
 * @throws {ImageError} 'no_files' for anything else. @throws {DiskError} @throws {PeError} @throws {BytesError}
 */
export function sizeReport(source: ByteSource, options: SizeReportOptions = {}): SizeReport {
  const parts: { files: FileSize[]; packages: PackageSize[] } = { files: [], packages: [] };
  const whole = artefactNode(source, source.label.replace(/^.*\//s, ''), parts, options);
  if (whole === undefined) {
    const message = `${source.label}: expected a disk, an EROFS or FAT file system or a program for UEFI, found ${recogniseArtefact(source)}`;
    throw new ImageError('no_files', message);
  }
  return { whole, files: bySize(parts.files), packages: bySize(parts.packages) };
}

type Found = { files: FileSize[]; packages: PackageSize[] };

/** Undefined for what is not looked into. */
function artefactNode(
  source: ByteSource,
  name: string,
  found: Found,
  options: SizeReportOptions,
): SizeNode | undefined {
  switch (recogniseArtefact(source)) {
    case 'disk':
      return diskNode(source, name, found, options);
    case 'erofs':
      return erofsNode(source, name, found, options);
    case 'fat':
      return fatNode(source, name);
    case 'pe':
      return programNode(source, name);
    default:
      return undefined;
  }
}

function diskNode(source: ByteSource, name: string, found: Found, options: SizeReportOptions): SizeNode {
  const table = requireGpt(source);
  const partitions = table.partitions.map((partition) => partitionNode(source, table, partition, found, options));
  return nodeOf(name, 'disk', source.size, partitions, { name: 'partition table and alignment', kind: 'overhead' });
}

function partitionNode(
  disk: ByteSource,
  table: GptTable,
  partition: GptPartition,
  found: Found,
  options: SizeReportOptions,
): SizeNode {
  const { sizeBytes } = partitionPlace(table, partition);
  const name = partition.label === '' ? `partition ${partition.index + 1}` : partition.label;
  const inside = artefactNode(partitionSource(disk, table, partition), name, found, options);
  if (inside === undefined) return leaf(name, 'partition', sizeBytes);
  return nodeOf(name, 'partition', sizeBytes, inside.children, { name: 'free', kind: 'free' });
}

function erofsNode(source: ByteSource, name: string, found: Found, options: SizeReportOptions): SizeNode {
  const volume = openErofs(source);
  const files = erofsFileSizes(volume);
  const packages = options.packages ?? readInstalledPackages([...erofsTree(volume)]).packages;
  found.files.push(...files);
  found.packages.push(...packageSizes(packages, files, erofsTree(volume)));
  return folderTree(name, 'partition', volume.sizeBytes, files, { name: 'metadata', kind: 'overhead' });
}

function fatNode(source: ByteSource, name: string): SizeNode {
  const volume = openFat(source);
  const programs = new Map<string, SizeNode>();
  const files: FileSize[] = [];
  for (const entry of listFat(volume)) {
    if (entry.kind !== 'file') continue;
    files.push({ name: entry.path, sizeBytes: entry.sizeBytes });
    const content = openFatFile(volume, entry);
    if (recogniseArtefact(content) === 'pe') programs.set(entry.path, programNode(content, entry.path));
  }
  const tree = folderTree(name, 'partition', source.size, files, { name: 'free', kind: 'free' });
  return withPrograms(tree, '', programs);
}

/** Files that are programs, with their sections. */
function withPrograms(node: SizeNode, prefix: string, programs: ReadonlyMap<string, SizeNode>): SizeNode {
  const children = node.children.map((child) => {
    const path = `${prefix}${child.name}`;
    const program = child.kind === 'file' ? programs.get(path) : undefined;
    if (program !== undefined) return { ...program, name: child.name };
    return child.kind === 'folder' ? withPrograms(child, `${path}/`, programs) : child;
  });
  return { ...node, children };
}

function programNode(source: ByteSource, name: string): SizeNode {
  const { sections, certificateTable } = openPe(source);
  const parts = sections
    .filter(({ sizeOfRawData }) => sizeOfRawData > 0)
    .map((section) => leaf(section.name, 'section', section.sizeOfRawData));
  if (certificateTable !== undefined) {
    parts.push(leaf('signatures', 'overhead', certificateTable.end - certificateTable.start));
  }
  return nodeOf(name, 'program', source.size, parts, { name: 'headers', kind: 'overhead' });
}
