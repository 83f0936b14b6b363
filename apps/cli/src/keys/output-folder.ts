// SPDX-License-Identifier: Apache-2.0
import { closeSync, fsyncSync, lstatSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { BytesError } from '@vouchsafe/bytes';
import { hostError } from '@vouchsafe/bytes/node';

/** Who may read a file: all, or its owner alone. */
export type FileAccess = 'public' | 'private';

const FILE_MODES: Readonly<Record<FileAccess, number>> = { public: 0o644, private: 0o600 };

/**
 * A new folder that appears under its name only when it is complete: it is filled beside its place and then renamed.
 * Discarded, or interrupted, it leaves nothing; a process that is killed leaves `.NAME.PID.partial`. Nothing is ever
 * written into a folder that is there already.
 */
export class OutputFolder implements Disposable {
  readonly #path: string;
  readonly #partialPath: string;
  readonly #folders = new Set<string>();
  #isOpen = true;

  private constructor(path: string, partialPath: string) {
    this.#path = path;
    this.#partialPath = partialPath;
  }

  /** @throws {BytesError} 'exists', 'not_found' (the folder around it), 'no_permission', 'no_space', 'io'. */
  static create(path: string): OutputFolder {
    requireFree(path);
    const place = resolve(path);
    const partialPath = join(dirname(place), `.${basename(place)}.${process.pid}.partial`);
    onHost(path, () => mkdirSync(partialPath, { mode: 0o700 }));
    const folder = new OutputFolder(path, partialPath);
    folder.#folders.add(partialPath);
    return folder;
  }

  /** @param name of a file, with folders in front of it perhaps; they are made. */
  write(name: string, content: Uint8Array | string, access: FileAccess): void {
    const path = join(this.#partialPath, name);
    onHost(join(this.#path, name), () => {
      const around = dirname(path);
      mkdirSync(around, { recursive: true, mode: 0o755 });
      for (let at = around; at.length > this.#partialPath.length; at = dirname(at)) this.#folders.add(at);
      writeFileSync(path, content, { flag: 'wx', mode: FILE_MODES[access], flush: true });
    });
  }

  /** Gives the folder its name. Whatever fails, it is then discarded. */
  commit(): void {
    try {
      for (const folder of this.#folders) flush(folder);
      requireFree(this.#path);
      onHost(this.#path, () => renameSync(this.#partialPath, resolve(this.#path)));
    } catch (error) {
      this.discard();
      throw error;
    }
    this.#isOpen = false;
    flush(dirname(resolve(this.#path)));
  }

  discard(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    rmSync(this.#partialPath, { recursive: true, force: true });
  }

  [Symbol.dispose](): void {
    this.discard();
  }
}

function requireFree(path: string): void {
  if (onHost(path, () => lstatSync(path, { throwIfNoEntry: false })) !== undefined) {
    throw new BytesError('exists', `${path}: it is there already, and keys are never overwritten; choose another name`);
  }
}

/** What a folder lists is durable once the folder is. */
function flush(folder: string): void {
  const fd = onHost(folder, () => openSync(folder, 'r'));
  try {
    onHost(folder, () => fsyncSync(fd));
  } finally {
    closeSync(fd);
  }
}

function onHost<T>(path: string, call: () => T): T {
  try {
    return call();
  } catch (cause) {
    throw hostError(path, cause);
  }
}
