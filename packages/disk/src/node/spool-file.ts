// SPDX-License-Identifier: Apache-2.0
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ByteSink, ByteSource } from '@vouchsafe/bytes';
import { descriptorSink, FileSource, hostError } from '@vouchsafe/bytes/node';

/**
 * A file without a name, for what does not fit into memory: it is gone when it is closed, however the process ends.
 */
export class SpoolFile implements ByteSink, Disposable {
  readonly label: string;
  readonly #fd: number;
  readonly #sink: ByteSink;
  #size = 0;
  #isOpen = true;

  private constructor(fd: number, label: string) {
    this.#fd = fd;
    this.label = label;
    this.#sink = descriptorSink(fd, label);
  }

  /**
   * @param label what to call its content in messages.
   * @param folder the host's own for temporary files, unless given.
   * @throws {BytesError}
   */
  static create(label: string, folder = tmpdir()): SpoolFile {
    try {
      const own = mkdtempSync(join(folder, 'vouchsafe-'));
      try {
        return new SpoolFile(openSync(join(own, 'spool'), 'wx+', 0o600), label);
      } finally {
        rmSync(own, { recursive: true, force: true });
      }
    } catch (cause) {
      throw hostError(folder, cause);
    }
  }

  get size(): number {
    return this.#size;
  }

  /** @throws {BytesError} 'no_space', 'io'. */
  write(offset: number, bytes: Uint8Array): void {
    this.#sink.write(offset, bytes);
    this.#size = Math.max(this.#size, offset + bytes.length);
  }

  /** Behind what is there. @throws {BytesError} 'no_space', 'io'. */
  append(bytes: Uint8Array): void {
    this.write(this.#size, bytes);
  }

  /** All that was written so far; it can be read until the file is closed. */
  source(): ByteSource {
    return FileSource.over({
      fd: this.#fd,
      label: this.label,
      size: this.#size,
      extents: [{ start: 0, end: this.#size }],
    });
  }

  [Symbol.dispose](): void {
    if (this.#isOpen) closeSync(this.#fd);
    this.#isOpen = false;
  }
}
