// SPDX-License-Identifier: Apache-2.0
import { closeSync, constants, fstatSync, openSync, readvSync } from 'node:fs';
import { clipExtents, totalLength } from '../slice.ts';
import { type ByteSource, type Extent, requireRange } from '../source.ts';
import { sizeOf } from './device-size.ts';
import { findDataExtents } from './holes.ts';
import { onHost } from './host-error.ts';
import { type ReadableFile, readFully } from './read-fully.ts';

/** Linux takes at most this many buffers in one call (UIO_MAXIOV). */
const MAX_VECTORS = 1024;

/** An open file as plain data, for another thread of this process: descriptors belong to the process. */
export interface FileHandleData {
  readonly fd: number;
  readonly label: string;
  readonly size: number;
  /** Within the part, when it is one. */
  readonly extents: readonly Extent[];
  /** Octets from the start of the file to the part of it that is meant; 0 unless given. */
  readonly start?: number;
}

/** A regular file or block device, open for reading. Close it, or dispose of it with `using`. */
export class FileSource implements ByteSource, Disposable {
  readonly #file: ReadableFile;
  readonly #isOwner: boolean;
  #extents: readonly Extent[] | undefined;
  #isOpen = true;

  private constructor(
    handle: Omit<FileHandleData, 'extents'>,
    extents: readonly Extent[] | undefined,
    isOwner: boolean,
  ) {
    const { fd, label, size, start = 0 } = handle;
    this.#file = { fd, label, size, start };
    this.#extents = extents;
    this.#isOwner = isOwner;
  }

  /**
   * @param options.changes true when the file is written to while it is open: its holes are then not relied on.
   * @throws {BytesError} 'not_found', 'no_permission', 'not_a_file', 'io'.
   */
  static open(path: string, options: { readonly changes?: boolean } = {}): FileSource {
    // Not to wait for somebody at the other end of a pipe, which is then refused.
    const fd = onHost(path, () => openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
    try {
      const stats = onHost(path, () => fstatSync(fd));
      const size = sizeOf(path, stats);
      // Only a file with fewer blocks than octets has holes that are worth asking for.
      const isSparse = options.changes !== true && stats.isFile() && stats.blocks * 512 < size;
      return new FileSource({ fd, label: path, size }, isSparse ? undefined : [{ start: 0, end: size }], true);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** The same file in another thread, or over a descriptor that somebody else owns; closing it does nothing. */
  static over(handle: FileHandleData): FileSource {
    return new FileSource(handle, handle.extents, false);
  }

  get size(): number {
    return this.#file.size;
  }

  get label(): string {
    return this.#file.label;
  }

  get handle(): FileHandleData {
    return { ...this.#file, extents: this.dataExtents() };
  }

  /**
   * A part of the file, over the same descriptor: a partition of a disk, for work that takes several threads. It is good
   * as long as this source is.
   * @throws {BytesError} 'out_of_range' when the part is not inside the file.
   */
  part(offset: number, size: number, label = this.label): FileSource {
    requireRange(this, offset, size);
    const extents = clipExtents(this.dataExtents(), offset, size);
    return new FileSource({ fd: this.#file.fd, label, size, start: this.#file.start + offset }, extents, false);
  }

  read(offset: number, target: Uint8Array): void {
    requireRange(this, offset, target.length);
    readFully(this.#file, offset, target);
  }

  readScattered(offset: number, targets: readonly Uint8Array[]): void {
    requireRange(this, offset, totalLength(targets));
    let at = offset;
    for (let first = 0; first < targets.length; first += MAX_VECTORS) {
      const batch = targets.length <= MAX_VECTORS ? targets : targets.slice(first, first + MAX_VECTORS);
      let got = onHost(this.label, () => readvSync(this.#file.fd, batch as Uint8Array[], this.#file.start + at));
      // A read may end early; whatever it left is read target by target.
      for (const target of batch) {
        if (got < target.length) readFully(this.#file, at, target, got);
        got = Math.max(0, got - target.length);
        at += target.length;
      }
    }
  }

  dataExtents(): readonly Extent[] {
    this.#extents ??= findDataExtents(this.#file.fd, this.size) ?? [{ start: 0, end: this.size }];
    return this.#extents;
  }

  close(): void {
    // Twice would close a descriptor that has become somebody else's.
    if (this.#isOwner && this.#isOpen) closeSync(this.#file.fd);
    this.#isOpen = false;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
