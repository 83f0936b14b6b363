// SPDX-License-Identifier: Apache-2.0
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { type ByteSource, requireRange } from '@vouchsafe/bytes';
import { FileSource, hostError } from '@vouchsafe/bytes/node';
import { DiskError } from '../error.ts';

/** What a file of a folder was when it was listed. Plain data, for another thread. */
export interface HostFile {
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

/** Opens its file when it is read. */
class HostFileSource implements ByteSource {
  readonly file: HostFile;
  readonly #read: ByteSource['read'];

  constructor(file: HostFile, read: ByteSource['read']) {
    this.file = file;
    this.#read = read;
  }

  get size(): number {
    return this.file.sizeBytes;
  }

  get label(): string {
    return this.file.path;
  }

  read(offset: number, target: Uint8Array): void {
    requireRange(this, offset, target.length);
    if (target.length > 0) this.#read(offset, target);
  }
}

/** The file that a content of `OpenFiles` is read from; undefined for any other content. */
export function hostFileOf(content: ByteSource): HostFile | undefined {
  return content instanceof HostFileSource ? content.file : undefined;
}

/** A process may have some thousand files open, and a tree has more. */
const MAX_OPEN = 16;

/** Files that are opened when they are read, and closed when others are. */
export class OpenFiles implements Disposable {
  readonly #open = new Map<HostFile, OpenFile>();

  /** A file's content. Reading throws a DiskError 'input_changed' when it is no longer the one that was listed. */
  source(file: HostFile): ByteSource {
    return new HostFileSource(file, (offset, target) => this.#opened(file).read(offset, target));
  }

  #opened(file: HostFile): FileSource {
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

  #close(file: HostFile): void {
    const found = this.#open.get(file);
    if (found !== undefined) closeSync(found.fd);
    this.#open.delete(file);
  }

  [Symbol.dispose](): void {
    for (const file of [...this.#open.keys()]) this.#close(file);
  }
}

/** A link that took the file's place is not followed, and a pipe not waited for. */
function openListed({ path, sizeBytes, device, inode, mtimeNs }: HostFile): number {
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
