// SPDX-License-Identifier: Apache-2.0
import { closeSync, fsync, fsyncSync, linkSync, lstatSync, openSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { BytesError } from '../error.ts';
import type { ByteSink } from '../sink.ts';
import { writeFully } from './file-sink.ts';
import { hostError, onHost } from './host-error.ts';
import { newFile, type PublishedFile, replaceFile } from './published-file.ts';

/** Characters of the final name in the partial one: even at four octets each, all of it fits into 255. */
const MAX_NAME_CHARS = 50;
/** Partial files of one name and process that are stepped over: of other outputs, or left by a process that crashed. */
const MAX_PARTIALS = 100;

/** Outputs that are neither committed nor discarded. A process that ends of itself removes them, however it comes to that. */
const openPartials = new Set<string>();

function removeOpenPartials(): void {
  for (const path of openPartials) {
    try {
      rmSync(path, { force: true });
    } catch {
      // There is nobody left to tell; it does not have the final name.
    }
  }
}

/**
 * A new file that appears under its name only when it is complete: it is written beside its place, flushed to the
 * device, and then renamed. Discarded, or interrupted, it leaves nothing under the final name; a process that is killed
 * leaves `.NAME.PID.N.partial`. A symbolic link in its place is replaced, not followed.
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
    if (openPartials.size === 0) process.on('exit', removeOpenPartials);
    openPartials.add(partialPath);
  }

  /**
   * @param options.force replace an existing file; without it, one is an error before anything is written.
   * @param options.mode permissions, before the umask takes from them; 0o666 unless given.
   * @throws {BytesError} 'exists', 'not_found' (the folder), 'no_permission', 'not_a_file', 'no_space', 'io'.
   */
  static create(path: string, options: { readonly force?: boolean; readonly mode?: number } = {}): OutputFile {
    const force = options.force ?? false;
    requireReplaceable(path, force);
    const { partialPath, fd } = openPartial(path, options.mode ?? 0o666);
    return new OutputFile(path, partialPath, fd, force);
  }

  /** @throws {BytesError} 'no_space', 'io'. */
  write(offset: number, bytes: Uint8Array): void {
    writeFully(this.fd, this.label, offset, bytes);
  }

  /** Returns when what was written is on the device. */
  flush(): void {
    onHost(this.label, () => fsyncSync(this.fd));
  }

  /**
   * Begins to flush while this thread goes on, so that `commit` has less to wait for. The descriptor is in use until the
   * promise has settled: neither commit nor discard before. @throws {BytesError} 'no_space', 'io'.
   */
  startFlush(): Promise<void> {
    return new Promise((resolve, reject) => {
      fsync(this.fd, (cause) => (cause === null ? resolve() : reject(hostError(this.label, cause))));
    });
  }

  /**
   * Flushes, and gives the file its name. Without force a file that came there in the meantime is kept, and an error.
   * Whatever fails, the output is then discarded.
   */
  commit(): void {
    this.#keep(() => {
      this.#giveName();
      return newFile(this.label);
    });
  }

  /** As `commit`, but what was there before can be put back: for `commitTogether`. */
  readonly publish = (): PublishedFile => {
    // Beside the file, and nobody else's: the partial name of this process, with another end.
    const asidePath = this.partialPath.replace(/\.partial$/, '.replaced.partial');
    return this.#keep(() => {
      // Again, as a folder could be put aside like a file.
      requireReplaceable(this.label, this.#force);
      if (this.#force) return replaceFile(this.partialPath, this.label, asidePath);
      this.#giveName();
      return newFile(this.label);
    });
  };

  #keep(giveName: () => PublishedFile): PublishedFile {
    if (this.#state !== 'open') throw new Error(`${this.label} was already ${this.#state}`);
    let published: PublishedFile;
    try {
      this.flush();
      published = onHost(this.label, giveName);
    } catch (error) {
      this.discard();
      throw error;
    }
    this.#end('committed');
    closeSync(this.fd);
    flushFolder(dirname(this.label));
    return published;
  }

  discard(): void {
    if (this.#state !== 'open') return;
    this.#end('discarded');
    closeSync(this.fd);
    onHost(this.label, () => rmSync(this.partialPath, { force: true }));
  }

  [Symbol.dispose](): void {
    this.discard();
  }

  #end(state: 'committed' | 'discarded'): void {
    this.#state = state;
    openPartials.delete(this.partialPath);
    if (openPartials.size === 0) process.off('exit', removeOpenPartials);
  }

  #giveName(): void {
    if (!this.#force && this.#linkName()) rmSync(this.partialPath, { force: true });
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

/** Opens a file that was not there before ('x'): whoever puts a link in its place must not choose what is overwritten. */
function openPartial(path: string, mode: number): { readonly partialPath: string; readonly fd: number } {
  const name = basename(path).slice(0, MAX_NAME_CHARS);
  for (let n = 0; ; n++) {
    const partialPath = join(dirname(path), `.${name}.${process.pid}.${n}.partial`);
    try {
      return { partialPath, fd: onHost(path, () => openSync(partialPath, 'wx+', mode)) };
    } catch (error) {
      if (!(error instanceof BytesError && error.code === 'exists' && n < MAX_PARTIALS)) throw error;
    }
  }
}

function existsError(path: string): BytesError {
  return new BytesError('exists', `${path}: it is there already; choose another name, or say --force to replace it`);
}

function requireReplaceable(path: string, force: boolean): void {
  const stats = onHost(path, () => lstatSync(path, { throwIfNoEntry: false }));
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
