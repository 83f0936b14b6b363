// SPDX-License-Identifier: Apache-2.0
import { parseHex, parseUtf8 } from '@vouchsafe/base';
import { type ByteSource, MemorySink, memorySource, readBytes } from '@vouchsafe/bytes';
import { FileSource, InPlaceFile, OutputFile } from '@vouchsafe/bytes/node';
import {
  commonPartitionType,
  copySource,
  type FatVolume,
  type GptPartition,
  type GptTable,
  listFat,
  openFat,
  openFatFile,
  partitionPlace,
  partitionSource,
  planFat32,
  requireGpt,
  writeGpt,
} from '@vouchsafe/disk';
import { findVeritySets, type VeritySet } from '@vouchsafe/image';
import { type BootDisk, openBootDisk } from '@vouchsafe/image/boot';
import { openPe, type PeFile, parseKernelCommandLine, readSmallSection } from '@vouchsafe/pe';
import { LabError } from '../error.ts';

/** One run of octets to put in place of others. */
export interface Patch {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Files of the ESP have some hundred MiB at most. */
const MAX_PROGRAM_BYTES = 1024 * 1024 * 1024;

/**
 * Changes to a disk image that are collected, and made as a copy of it is written. The image itself is only read. Edits build
 * on each other: what one has put on the ESP the next one finds there.
 */
export class DiskEdit implements Disposable {
  /** As it will be. */
  table: GptTable;
  readonly patches: Patch[] = [];
  readonly #disk: FileSource;
  readonly #esp: GptPartition;
  readonly #volume: FatVolume;
  /** Paths as they are on the ESP, without a leading slash. */
  readonly #files: Map<string, ByteSource>;
  #isEspChanged = false;
  #isTableChanged = false;

  private constructor(disk: FileSource) {
    this.#disk = disk;
    this.table = requireGpt(disk);
    const esp = this.table.partitions.find(({ typeUuid }) => typeUuid === commonPartitionType('esp'));
    if (esp === undefined)
      throw new LabError('tamper_unfit', `${disk.label}: expected an EFI system partition, found none`);
    this.#esp = esp;
    this.#volume = openFat(partitionSource(disk, this.table, esp));
    this.#files = new Map(
      [...listFat(this.#volume)].flatMap((entry) =>
        entry.kind === 'file' ? [[entry.path, openFatFile(this.#volume, entry)] as const] : [],
      ),
    );
  }

  /** @throws {BytesError} @throws {DiskError} @throws {LabError} 'tamper_unfit'. */
  static open(path: string): DiskEdit {
    const disk = FileSource.open(path);
    try {
      return new DiskEdit(disk);
    } catch (error) {
      disk.close();
      throw error;
    }
  }

  get path(): string {
    return this.#disk.label;
  }

  /** What the disk boots, before any change. */
  get boot(): BootDisk {
    return openBootDisk(this.#disk);
  }

  /** Where on the ESP the UKI is, without a leading slash. */
  get ukiPath(): string {
    return this.boot.artefacts.uki.source.label.replace(/^\//, '');
  }

  /** The UKI as it will be. */
  get uki(): PeFile {
    return openPe(this.file(this.ukiPath));
  }

  /** Command line of the UKI as it is on the disk. */
  get commandLine(): string {
    const octets = readSmallSection(this.boot.artefacts.uki, '.cmdline') ?? new Uint8Array(0);
    const end = octets.indexOf(0);
    return parseUtf8(end < 0 ? octets : octets.subarray(0, end)).trim();
  }

  /** Root hash of the command line, in hexadecimal: of the root, or of /usr. */
  get rootHash(): string {
    const parameters = parseKernelCommandLine(this.commandLine);
    const found = parameters.findLast(({ name }) => name === 'roothash' || name === 'usrhash')?.value;
    if (found === undefined) {
      throw new LabError(
        'tamper_unfit',
        `${this.path}: expected roothash= or usrhash= on the command line, found neither`,
      );
    }
    return found;
  }

  /** Data and hash partition of the tree with that root hash. */
  get verity(): VeritySet & { readonly data: GptPartition } {
    const wanted = parseHex(this.rootHash);
    const { sets } = findVeritySets(this.#disk, this.table);
    const set = sets.find(({ rootHash }) => rootHash.every((octet, i) => octet === wanted[i]));
    if (set?.data === undefined) {
      throw new LabError(
        'tamper_unfit',
        `${this.path}: expected a partition with root hash ${this.rootHash}, found none`,
      );
    }
    return { ...set, data: set.data };
  }

  /** A partition as it is on the disk. */
  partition(partition: GptPartition): ByteSource {
    return partitionSource(this.#disk, this.table, partition);
  }

  /** A file of the ESP as it will be. @throws {LabError} 'tamper_unfit'. */
  file(path: string): ByteSource {
    const found = this.#files.get(path);
    if (found === undefined)
      throw new LabError('tamper_unfit', `${this.path}: expected /${path} on the ESP, found no file`);
    return found;
  }

  /** Paths of the files on the ESP. */
  get files(): readonly string[] {
    return [...this.#files.keys()];
  }

  writeFile(path: string, content: Uint8Array): void {
    this.#files.set(path, memorySource(content, path));
    this.#isEspChanged = true;
  }

  /** The UKI as octets of its own, changed and put back. */
  async changeUki(change: (uki: Uint8Array) => undefined | Uint8Array | Promise<Uint8Array>): Promise<void> {
    const { ukiPath } = this;
    const source = this.file(ukiPath);
    const bytes = readBytes(source, 0, source.size);
    this.writeFile(ukiPath, (await change(bytes)) ?? bytes);
  }

  /** Changes the lowest bit of an octet of a partition. */
  flip(partition: GptPartition, offset: number): void {
    const { offsetBytes } = partitionPlace(this.table, partition);
    this.patches.push({ offset: offsetBytes + offset, bytes: flipped(this.#disk, offsetBytes + offset) });
  }

  /** Other octets in a partition. */
  patch(partition: GptPartition, offset: number, bytes: Uint8Array): void {
    this.patches.push({ offset: partitionPlace(this.table, partition).offsetBytes + offset, bytes });
  }

  changeTable(change: (table: GptTable) => GptTable): void {
    this.table = change(this.table);
    this.#isTableChanged = true;
  }

  /** Writes the copy. What does not change is copied without its holes; of the ESP, all that is in use when it does. */
  write(path: string): void {
    using output = OutputFile.create(path, { force: true });
    const { offsetBytes, sizeBytes } = partitionPlace(this.table, this.#esp);
    const copy = (start: number, end: number): void => copySource(this.#disk.part(start, end - start), output, start);
    if (this.#isEspChanged) {
      copy(0, offsetBytes);
      this.#plan(sizeBytes).write(output, offsetBytes);
      copy(offsetBytes + sizeBytes, this.#disk.size);
    } else copy(0, this.#disk.size);
    for (const { offset, bytes } of this.patches) output.write(offset, bytes);
    if (this.#isTableChanged) writeGpt(output, this.table);
    output.commit();
  }

  /** Writes changed octets into the disk where it stands, while a machine runs on it. */
  apply(): void {
    using file = InPlaceFile.open(this.path);
    for (const { offset, bytes } of this.patches) file.write(offset, bytes);
    file.flush();
  }

  #plan(sizeBytes: number): ReturnType<typeof planFat32> {
    const { volumeId = 0, label } = this.#volume;
    const text = label?.trim() ?? '';
    return planFat32({
      members: [...this.#files].map(([file, content]) => ({ path: file, content })),
      sectorSize: this.table.sectorSize,
      sizeBytes,
      volumeId,
      timestampSeconds: 0,
      ...(text === '' || text === 'NO NAME' ? {} : { label: text }),
    });
  }

  [Symbol.dispose](): void {
    this.#disk.close();
  }
}

/** Of one octet, the lowest bit changed. */
export function flipped(source: ByteSource, offset: number): Uint8Array {
  const [octet = 0] = readBytes(source, offset, 1);
  return Uint8Array.of(octet ^ 1);
}

/** A program that `write` has made, as octets. */
export async function inMemory(label: string, write: (sink: MemorySink) => Promise<unknown>): Promise<Uint8Array> {
  const sink = new MemorySink(MAX_PROGRAM_BYTES, label);
  await write(sink);
  return sink.bytes();
}
