// SPDX-License-Identifier: Apache-2.0
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { type ByteSource, requireRange } from '@vouchsafe/bytes';
import { FileSource, hostError } from '@vouchsafe/bytes/node';
import { DiskError } from '../error.ts';

/** What a file was when it was listed. */
export interface ListedFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly device: bigint;
  readonly inode: bigint;
  readonly mtimeNs: bigint;
}

interface OpenFile {
  readonly fd: number;
  readonly source: FileSource;
}

/** A process may have some thousand files open, and a tree has more. */
const MAX_OPEN = 16;

/** Files that are opened when they are read, and closed when others are. */
export class OpenFiles implements Disposable {
  readonly #open = new Map<ListedFile, OpenFile>();

  /** A file's content. Reading throws a DiskError 'input_changed' when it is no longer the one that was listed. */
  source(file: ListedFile): ByteSource {
    const source: ByteSource = {
      size: file.sizeBytes,
      label: file.path,
      read: (offset, target) => {
        requireRange(source, offset, target.length);
        if (target.length > 0) this.#opened(file).read(offset, target);
      },
    };
    return source;
  }

  #opened(file: ListedFile): FileSource {
    const found = this.#open.get(file);
    if (found !== undefined) return found.source;
    for (const [oldest] of this.#open) {
      if (this.#open.size < MAX_OPEN) break;
      this.#close(oldest);
    }
    const { path, sizeBytes } = file;
    const fd = openListed(file);
    const source = FileSource.over({ fd, label: path, size: sizeBytes, extents: [{ start: 0, end: sizeBytes }] });
    this.#open.set(file, { fd, source });
    return source;
  }

  #close(file: ListedFile): void {
    const found = this.#open.get(file);
    if (found !== undefined) closeSync(found.fd);
    this.#open.delete(file);
  }

  [Symbol.dispose](): void {
    for (const file of [...this.#open.keys()]) this.#close(file);
  }
}

/** A link that took the file's place is not followed, and a pipe not waited for. */
function openListed({ path, sizeBytes, device, inode, mtimeNs }: ListedFile): number {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    throw hostError(path, cause);
  }
  const now = fstatSync(fd, { bigint: true });
  if (now.dev === device && now.ino === inode && now.size === BigInt(sizeBytes) && now.mtimeNs === mtimeNs) return fd;
  closeSync(fd);
  throw new DiskError(
    'input_changed',
    `${path}: it changed while the image was made; let nothing write there, and make it again`,
  );
}
