// SPDX-License-Identifier: Apache-2.0
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { type ByteSource, requireRange } from '@vouchsafe/bytes';
import { hostError, readFully } from '@vouchsafe/bytes/node';
import { DiskError } from '../error.ts';

/** What a file of a folder was when it was listed. Plain data, for another thread. */
export interface HostFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly device: bigint;
  readonly inode: bigint;
  readonly mtimeNs: bigint;
}

/** Opens its file when it is read. */
class HostFileSource implements ByteSource {
  readonly file: HostFile;
  readonly #files: OpenFiles;

  constructor(file: HostFile, files: OpenFiles) {
    this.file = file;
    this.#files = files;
  }

  get size(): number {
    return this.file.sizeBytes;
  }

  get label(): string {
    return this.file.path;
  }

  read(offset: number, target: Uint8Array): void {
    requireRange(this, offset, target.length);
    if (target.length > 0) this.#files.read(this.file, offset, target);
  }
}

/** The file that a content of `OpenFiles` is read from; undefined for any other content. */
export function hostFileOf(content: ByteSource): HostFile | undefined {
  return content instanceof HostFileSource ? content.file : undefined;
}

/** A process may have some thousand files open, and a tree has more. */
const MAX_OPEN = 16;

/** Files that are opened when they are read, and closed when others are; what is read at once is closed at once. */
export class OpenFiles implements Disposable {
  readonly #open = new Map<HostFile, number>();

  /** A file's content. Reading throws a DiskError 'input_changed' when it is no longer the one that was listed. */
  source(file: HostFile): ByteSource {
    return new HostFileSource(file, this);
  }

  /** @throws {DiskError} 'input_changed'. @throws {BytesError} */
  read(file: HostFile, offset: number, target: Uint8Array): void {
    const open = this.#open.get(file);
    const fd = open ?? openListed(file);
    const isAtOnce = open === undefined && target.length === file.sizeBytes;
    if (open === undefined && !isAtOnce) this.#keep(file, fd);
    try {
      readFully({ fd, label: file.path, size: file.sizeBytes, start: 0 }, offset, target);
    } finally {
      if (isAtOnce) closeSync(fd);
    }
  }

  #keep(file: HostFile, fd: number): void {
    for (const [oldest] of this.#open) {
      if (this.#open.size < MAX_OPEN) break;
      this.#close(oldest);
    }
    this.#open.set(file, fd);
  }

  #close(file: HostFile): void {
    const fd = this.#open.get(file);
    if (fd !== undefined) closeSync(fd);
    this.#open.delete(file);
  }

  [Symbol.dispose](): void {
    for (const file of [...this.#open.keys()]) this.#close(file);
  }
}

const WITH_NANOSECONDS = { bigint: true } as const;

/** A link that took the file's place is not followed, and a pipe not waited for. */
function openListed({ path, sizeBytes, device, inode, mtimeNs }: HostFile): number {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    throw hostError(path, cause);
  }
  const now = fstatSync(fd, WITH_NANOSECONDS);
  if (now.dev === device && now.ino === inode && now.size === BigInt(sizeBytes) && now.mtimeNs === mtimeNs) return fd;
  closeSync(fd);
  throw new DiskError(
    'input_changed',
    `${path}: it changed while the image was made; let nothing write there, and make it again`,
  );
}
