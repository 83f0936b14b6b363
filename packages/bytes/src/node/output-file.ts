// SPDX-License-Identifier: Apache-2.0
import { closeSync, fsyncSync, linkSync, lstatSync, openSync, renameSync, unlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { BytesError } from '../error.ts';
import type { ByteSink } from '../sink.ts';
import { writeFully } from './file-sink.ts';
import { onHost } from './host-error.ts';

/**
 * A new file that appears under its name only when it is complete: it is written beside its place, flushed to the
 * device, and then renamed. Discarded, or interrupted, it leaves nothing under the final name.
 */
export class OutputFile implements ByteSink, Disposable {
  readonly label: string;
  readonly partialPath: string;
  readonly #force: boolean;
  /** For reading back what was written, and for other threads; it is ours to close. */
  readonly fd: number;
  #state: 'open' | 'committed' | 'discarded' = 'open';

  private constructor(path: string, partialPath: string, fd: number, force: boolean) {
    this.label = path;
    this.partialPath = partialPath;
    this.fd = fd;
    this.#force = force;
  }

  /**
   * @param options.force replace an existing file; without it, one is an error before anything is written.
   * @throws {BytesError} 'exists', 'not_found' (the folder), 'no_permission', 'not_a_file', 'no_space', 'io'.
   */
  static create(path: string, options: { readonly force?: boolean } = {}): OutputFile {
    const force = options.force ?? false;
    requireReplaceable(path, force);
    const partialPath = join(dirname(path), `.${basename(path)}.${process.pid}.partial`);
    const fd = onHost(path, () => openSync(partialPath, 'w+', 0o666));
    return new OutputFile(path, partialPath, fd, force);
  }

  write(offset: number, bytes: Uint8Array): void {
    writeFully(this.fd, this.label, offset, bytes);
  }

  /** Flushes, and gives the file its name. Without force a file that came there in the meantime is kept, and an error. */
  commit(): void {
    onHost(this.label, () => fsyncSync(this.fd));
    closeSync(this.fd);
    this.#state = 'committed';
    try {
      onHost(this.label, () => this.#giveName());
    } catch (error) {
      this.#state = 'discarded';
      unlinkSync(this.partialPath);
      throw error;
    }
    flushFolder(dirname(this.label));
  }

  discard(): void {
    if (this.#state !== 'open') return;
    this.#state = 'discarded';
    closeSync(this.fd);
    unlinkSync(this.partialPath);
  }

  [Symbol.dispose](): void {
    this.discard();
  }

  #giveName(): void {
    if (!this.#force && this.#linkName()) unlinkSync(this.partialPath);
    else renameSync(this.partialPath, this.label);
  }

  /**
   * link(2) fails where the name is taken; rename(2) would replace it.
   * @returns false on a file system without hard links (FAT), where a second look must do, though it leaves a gap.
   */
  #linkName(): boolean {
    try {
      linkSync(this.partialPath, this.label);
      return true;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'EEXIST') throw existsError(this.label);
      requireReplaceable(this.label, false);
      return false;
    }
  }
}

function existsError(path: string): BytesError {
  return new BytesError('exists', `${path}: it is there already; choose another name, or say --force to replace it`);
}

function requireReplaceable(path: string, force: boolean): void {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return;
  if (stats.isDirectory()) throw new BytesError('not_a_file', `${path}: this is a folder, a file is needed`);
  if (!stats.isFile() && !stats.isSymbolicLink()) {
    throw new BytesError(
      'not_a_file',
      `${path}: this is a device, a socket or a pipe; a new file cannot take its place`,
    );
  }
  if (!force) throw existsError(path);
}

/** A rename is durable once its folder is; hosts that cannot flush a folder keep their own promises. */
function flushFolder(folder: string): void {
  try {
    const fd = openSync(folder, 'r');
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch {
    // Not a failure of the file, which is complete.
  }
}
