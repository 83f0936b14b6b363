// SPDX-License-Identifier: Apache-2.0
import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync } from 'node:fs';
import type { ByteSink } from '../sink.ts';
import { writeFully } from './file-sink.ts';
import { onHost } from './host-error.ts';

const CHUNK_BYTES = 1024 * 1024;

/** An existing file or device, written where it stands: repairs, and a tree behind the data in one file. */
export class InPlaceFile implements ByteSink, Disposable {
  readonly label: string;
  readonly fd: number;
  #isOpen = true;

  private constructor(path: string, fd: number) {
    this.label = path;
    this.fd = fd;
  }

  /** @throws {BytesError} 'not_found', 'no_permission', 'not_a_file', 'io'. */
  static open(path: string): InPlaceFile {
    return new InPlaceFile(
      path,
      onHost(path, () => openSync(path, 'r+')),
    );
  }

  write(offset: number, bytes: Uint8Array): void {
    writeFully(this.fd, this.label, offset, bytes);
  }

  /** Fills a part with zeros, and gives a regular file the size that it had. */
  clear(offset: number, length: number, size: number): void {
    const end = Math.min(offset + length, size);
    for (let at = offset; at < end; at += CHUNK_BYTES) this.write(at, new Uint8Array(Math.min(CHUNK_BYTES, end - at)));
    if (onHost(this.label, () => fstatSync(this.fd)).isFile()) onHost(this.label, () => ftruncateSync(this.fd, size));
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
