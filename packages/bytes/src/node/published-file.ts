// SPDX-License-Identifier: Apache-2.0
import { linkSync, lstatSync, renameSync, rmSync } from 'node:fs';

/** A file that has just got its name, and what was there before is still at hand. */
export interface PublishedFile {
  /** Takes the name away again, and puts back what had it. */
  undo(): void;
  /** Lets go of what was there before. */
  finish(): void;
}

/**
 * Puts a complete file into the place of whatever has its name, so that it can be undone: what was there is kept under
 * `asidePath` until then. There is no moment without a file of that name but on file systems without hard links (FAT).
 * @param asidePath beside the file, and free.
 * @throws what the host refuses; nothing has changed then.
 */
export function replaceFile(partialPath: string, path: string, asidePath: string): PublishedFile {
  const isThere = lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  if (isThere) keepAside(path, asidePath);
  try {
    renameSync(partialPath, path);
  } catch (error) {
    if (isThere) renameSync(asidePath, path);
    throw error;
  }
  return {
    undo: () => (isThere ? renameSync(asidePath, path) : rmSync(path, { force: true })),
    finish: () => {
      if (isThere) rmSync(asidePath, { force: true });
    },
  };
}

function keepAside(path: string, asidePath: string): void {
  try {
    linkSync(path, asidePath);
  } catch {
    renameSync(path, asidePath);
  }
}

/** A file whose name was free: there is nothing to put back. */
export function newFile(path: string): PublishedFile {
  return { undo: () => rmSync(path, { force: true }), finish: () => undefined };
}
