// SPDX-License-Identifier: Apache-2.0
import { closeSync, constants, fstatSync, fsyncSync, ftruncateSync, openSync } from 'node:fs';
import type { ByteSink } from '../sink.ts';
import { sizeOf } from './device-size.ts';
import { writeFully } from './file-sink.ts';
import { onHost } from './host-error.ts';

const CHUNK_BYTES = 1024 * 1024;

/** An existing file or device, written where it stands: repairs, and a tree behind the data in one file. */
export class InPlaceFile implements ByteSink, Disposable {
  readonly label: string;
  readonly fd: number;
  /** A device keeps its size, a file grows as it is written to. */
  readonly isDevice: boolean;
  #isOpen = true;

  private constructor(path: string, fd: number, isDevice: boolean) {
    this.label = path;
    this.fd = fd;
    this.isDevice = isDevice;
  }

  /** @throws {BytesError} 'not_found', 'no_permission', 'not_a_file', 'io'. */
  static open(path: string): InPlaceFile {
    const fd = onHost(path, () => openSync(path, constants.O_RDWR | constants.O_NONBLOCK));
    try {
      const stats = onHost(path, () => fstatSync(fd));
      sizeOf(path, stats);
      return new InPlaceFile(path, fd, stats.isBlockDevice());
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** Octets, as it stands now. */
  get size(): number {
    return sizeOf(
      this.label,
      onHost(this.label, () => fstatSync(this.fd)),
    );
  }

  /** @throws {BytesError} 'no_space', 'io'. */
  write(offset: number, bytes: Uint8Array): void {
    writeFully(this.fd, this.label, offset, bytes);
  }

  /** Gives a file the size that it had, and fills the part with zeros as far as it is left. */
  clear(offset: number, length: number, size: number): void {
    // First, as it needs no space where the other may.
    if (!this.isDevice) onHost(this.label, () => ftruncateSync(this.fd, size));
    const end = Math.min(offset + length, size);
    for (let at = offset; at < end; at += CHUNK_BYTES) this.write(at, new Uint8Array(Math.min(CHUNK_BYTES, end - at)));
  }

  /** Returns when what was written is on the device. */
  flush(): void {
    onHost(this.label, () => fsyncSync(this.fd));
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    closeSync(this.fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
