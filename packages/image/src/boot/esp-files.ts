// SPDX-License-Identifier: Apache-2.0
import { type ByteSource, sliceSource } from '@vouchsafe/bytes';
import {
  commonPartitionType,
  type FatEntry,
  type FatVolume,
  type GptTable,
  listFat,
  openFat,
  openFatFile,
  partitionSource,
  type StubFile,
} from '@vouchsafe/disk';
import { ImageError } from '../error.ts';

/** The files of an EFI system partition, found as firmware finds them: upper and lower case are the same. */
export class EspFiles {
  readonly #volume: FatVolume;
  /** Files by their path in lower case, without a leading slash. */
  readonly #files = new Map<string, FatEntry>();

  constructor(volume: FatVolume) {
    this.#volume = volume;
    for (const entry of listFat(volume)) if (entry.kind === 'file') this.#files.set(entry.path.toLowerCase(), entry);
  }

  /** A file, labelled with its path; undefined when there is none. @throws {DiskError} @throws {BytesError} */
  open(path: string): ByteSource | undefined {
    const entry = this.#files.get(path.replace(/^\//, '').toLowerCase());
    if (entry === undefined) return undefined;
    const content = openFatFile(this.#volume, entry);
    return sliceSource(content, 0, content.size, `/${entry.path}`);
  }

  /** The files right inside a folder, by name. @throws {DiskError} @throws {BytesError} */
  folder(path: string): StubFile[] {
    const prefix = `${path.replace(/^\//, '').toLowerCase()}/`;
    return [...this.#files]
      .filter(([key]) => key.startsWith(prefix) && !key.slice(prefix.length).includes('/'))
      .map(([, { path: full }]) => ({
        name: full.slice(full.lastIndexOf('/') + 1),
        content: this.open(full) as ByteSource,
      }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }
}

/**
 * The EFI system partition of a disk.
 * @throws {ImageError} 'boot_unknown' when there is none, or several. @throws {DiskError} @throws {BytesError}
 */
export function openEsp(disk: ByteSource, table: GptTable): EspFiles {
  const found = table.partitions.filter(({ typeUuid }) => typeUuid === commonPartitionType('esp'));
  const [esp] = found;
  if (esp === undefined || found.length > 1) {
    const message = `${disk.label}: expected one EFI system partition, found ${found.length}; what firmware starts from it is not known`;
    throw new ImageError('boot_unknown', message);
  }
  return new EspFiles(openFat(partitionSource(disk, table, esp)));
}
