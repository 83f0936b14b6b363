// SPDX-License-Identifier: Apache-2.0
import { fstatSync, statSync } from 'node:fs';
import { BytesError } from '../error.ts';
import type { ByteSink } from '../sink.ts';
import type { ByteSource } from '../source.ts';
import { FileSource } from './file-source.ts';
import { InPlaceFile } from './in-place-file.ts';
import { OutputFile } from './output-file.ts';

/** Where output goes: a file of its own, or a part of a file or device that is there already. */
export interface RegionRequest {
  readonly path: string;
  /** Octets from the start of the file. */
  readonly offset: number;
  /** Octets that will be written at most. */
  readonly length: number;
  /** Replace what is there. */
  readonly force: boolean;
}

/** An output that is kept with `commit` or leaves no trace with `discard`. */
export interface Region extends ByteSink {
  readonly fd: number;
  /** Octets of the whole file as it stands now. */
  size(): number;
  /** What was written so far, for reading back; `size` is what the reader may take as the file's size. */
  reader(size: number): FileSource;
  commit(): void;
  discard(): void;
}

/**
 * A new file when nothing is there, or when all of an existing file is to be replaced; else a part of what is there,
 * which must be free (zeros, or behind the end) unless forced.
 * @throws {BytesError} 'exists' when something would be overwritten without force; what the host refuses.
 */
export function openRegion(request: RegionRequest): Region {
  const { path, offset, force } = request;
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined || (offset === 0 && (stats.isFile() || !force))) return newFile(path, force);
  return partOfFile(request);
}

/** True when both paths lead to the same file. */
export function isSameFile(a: string, b: string): boolean {
  const x = statSync(a, { throwIfNoEntry: false });
  const y = statSync(b, { throwIfNoEntry: false });
  return x !== undefined && y !== undefined && x.dev === y.dev && x.ino === y.ino && x.rdev === y.rdev;
}

const readerOver = (fd: number, label: string, size: number): FileSource =>
  FileSource.over({ fd, label, size, extents: [{ start: 0, end: size }] });

function newFile(path: string, force: boolean): Region {
  const file = OutputFile.create(path, { force });
  return {
    label: path,
    fd: file.fd,
    size: () => fstatSync(file.fd).size,
    write: (offset, bytes) => file.write(offset, bytes),
    reader: (size) => readerOver(file.fd, path, size),
    commit: () => file.commit(),
    discard: () => file.discard(),
  };
}

function partOfFile({ path, offset, length, force }: RegionRequest): Region {
  {
    using source = FileSource.open(path);
    if (!force) requireFree(source, offset, length);
  }
  const file = InPlaceFile.open(path);
  const sizeBefore = fstatSync(file.fd).size;
  return {
    label: path,
    fd: file.fd,
    size: () => fstatSync(file.fd).size,
    write: (at, bytes) => file.write(at, bytes),
    reader: (size) => readerOver(file.fd, path, size),
    commit: () => {
      file.flush();
      file.close();
    },
    discard: () => {
      // What was free is free again; what force has overwritten is gone, and the caller has seen to it that no header
      // makes the remains look whole.
      if (!force) file.clear(offset, length, sizeBefore);
      file.close();
    },
  };
}

const CHUNK_BYTES = 1024 * 1024;

function requireFree(source: ByteSource, offset: number, length: number): void {
  const end = Math.min(source.size, offset + length);
  for (const extent of source.dataExtents?.() ?? []) {
    for (let at = Math.max(offset, extent.start); at < Math.min(end, extent.end); at += CHUNK_BYTES) {
      const chunk = new Uint8Array(Math.min(CHUNK_BYTES, Math.min(end, extent.end) - at));
      source.read(at, chunk);
      const used = chunk.findIndex((byte) => byte !== 0);
      if (used >= 0) {
        throw new BytesError(
          'exists',
          `${source.label}: there is data at octet ${at + used}, where the output would go; choose another offset or file, or say --force`,
        );
      }
    }
  }
}
