// SPDX-License-Identifier: Apache-2.0
import { closeSync, constants, fstatSync, openSync, readSync, readvSync } from 'node:fs';
import { BytesError } from '../error.ts';
import { clipExtents, totalLength } from '../slice.ts';
import { type ByteSource, type Extent, requireRange } from '../source.ts';
import { sizeOf } from './device-size.ts';
import { findDataExtents } from './holes.ts';
import { hostError, onHost } from './host-error.ts';

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
  readonly size: number;
  readonly label: string;
  readonly #fd: number;
  readonly #start: number;
  readonly #isOwner: boolean;
  #extents: readonly Extent[] | undefined;
  #isOpen = true;

  private constructor(
    handle: Omit<FileHandleData, 'extents'>,
    extents: readonly Extent[] | undefined,
    isOwner: boolean,
  ) {
    this.label = handle.label;
    this.size = handle.size;
    this.#fd = handle.fd;
    this.#start = handle.start ?? 0;
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

  get handle(): FileHandleData {
    return { fd: this.#fd, label: this.label, size: this.size, extents: this.dataExtents(), start: this.#start };
  }

  /**
   * A part of the file, over the same descriptor: a partition of a disk, for work that takes several threads. It is good
   * as long as this source is.
   * @throws {BytesError} 'out_of_range' when the part is not inside the file.
   */
  part(offset: number, size: number, label = this.label): FileSource {
    requireRange(this, offset, size);
    const extents = clipExtents(this.dataExtents(), offset, size);
    return new FileSource({ fd: this.#fd, label, size, start: this.#start + offset }, extents, false);
  }

  read(offset: number, target: Uint8Array): void {
    requireRange(this, offset, target.length);
    this.#fill(offset, target, 0);
  }

  readScattered(offset: number, targets: readonly Uint8Array[]): void {
    requireRange(this, offset, totalLength(targets));
    let at = offset;
    for (let first = 0; first < targets.length; first += MAX_VECTORS) {
      const batch = targets.length <= MAX_VECTORS ? targets : targets.slice(first, first + MAX_VECTORS);
      let got = onHost(this.label, () => readvSync(this.#fd, batch as Uint8Array[], this.#start + at));
      // A read may end early; whatever it left is read target by target.
      for (const target of batch) {
        if (got < target.length) this.#fill(at, target, got);
        got = Math.max(0, got - target.length);
        at += target.length;
      }
    }
  }

  dataExtents(): readonly Extent[] {
    this.#extents ??= findDataExtents(this.#fd, this.size) ?? [{ start: 0, end: this.size }];
    return this.#extents;
  }

  close(): void {
    // Twice would close a descriptor that has become somebody else's.
    if (this.#isOwner && this.#isOpen) closeSync(this.#fd);
    this.#isOpen = false;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #fill(offset: number, target: Uint8Array, from: number): void {
    let done = from;
    while (done < target.length) {
      let got: number;
      // Not through onHost: its closure would cost a tenth of a read from the page cache.
      try {
        got = readSync(this.#fd, target, done, target.length - done, this.#start + offset + done);
      } catch (cause) {
        throw hostError(this.label, cause);
      }
      if (got === 0) {
        throw new BytesError(
          'short_read',
          `${this.label}: it had ${this.size} octets when it was opened and now ends at ${offset + done}; is something else writing to it?`,
        );
      }
      done += got;
    }
  }
}
