// SPDX-License-Identifier: Apache-2.0
import { fstatSync, statSync } from 'node:fs';
import { BytesError } from '../error.ts';
import type { ByteSink } from '../sink.ts';
import type { ByteSource } from '../source.ts';
import { FileSource } from './file-source.ts';
import { onHost } from './host-error.ts';
import { InPlaceFile } from './in-place-file.ts';
import { OutputFile } from './output-file.ts';
import type { PublishedFile } from './published-file.ts';

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
  /** True when it is written where it will stay, and a reader may see it half done. */
  readonly isInPlace: boolean;
  /** Octets of the whole file as it stands now. */
  size(): number;
  /** What was written so far, for reading back; `size` is what the reader may take as the file's size. */
  reader(size: number): FileSource;
  /** Returns when what was written is on the device. */
  flush(): void;
  commit(): void;
  /** As `commit`, for `commitTogether`; a part of a file has no name of its own to give. */
  readonly publish?: () => PublishedFile;
  discard(): void;
}

/**
 * A new file when nothing is there, or when all of an existing file is to be replaced; else a part of what is there,
 * which must be free (zeros, or behind the end) unless forced. Nothing outside the part is ever written.
 * @throws {BytesError} 'exists' when something would be overwritten without force, 'no_space' when a device is too
 * small; what the host refuses.
 */
export function openRegion(request: RegionRequest): Region {
  const { path, offset } = request;
  const stats = onHost(path, () => statSync(path, { throwIfNoEntry: false }));
  return stats === undefined || (offset === 0 && stats.isFile()) ? newFile(request) : partOfFile(request);
}

const readerOver = (fd: number, label: string, size: number): FileSource =>
  FileSource.over({ fd, label, size, extents: [{ start: 0, end: size }] });

/** The sink's own write, for the region alone: a defect of the caller must not cost the user what is beside it. */
function writeInside({ path, offset, length }: RegionRequest, sink: ByteSink): ByteSink['write'] {
  return (at, bytes) => {
    if (!(at >= offset && at + bytes.length <= offset + length)) {
      throw new BytesError(
        'out_of_range',
        `${path}: octets ${at} to ${at + bytes.length} are outside the output, which is ${offset} to ${offset + length}`,
      );
    }
    sink.write(at, bytes);
  };
}

function newFile(request: RegionRequest): Region {
  const { path, force } = request;
  const file = OutputFile.create(path, { force });
  return {
    label: path,
    fd: file.fd,
    isInPlace: false,
    size: () => fstatSync(file.fd).size,
    write: writeInside(request, file),
    reader: (size) => readerOver(file.fd, path, size),
    flush: () => file.flush(),
    commit: () => file.commit(),
    publish: file.publish,
    discard: () => file.discard(),
  };
}

function partOfFile(request: RegionRequest): Region {
  const { path, offset, length, force } = request;
  {
    using source = FileSource.open(path);
    if (!force) requireFree(source, offset, length);
  }
  const file = InPlaceFile.open(path);
  const sizeBefore = file.size;
  if (file.isDevice && offset + length > sizeBefore) {
    file.close();
    throw new BytesError(
      'no_space',
      `${path}: the output needs ${length} octets from ${offset} on, the device ends at ${sizeBefore}; choose a larger one`,
    );
  }
  let isDone = false;
  return {
    label: path,
    fd: file.fd,
    isInPlace: true,
    size: () => file.size,
    write: writeInside(request, file),
    reader: (size) => readerOver(file.fd, path, size),
    flush: () => file.flush(),
    commit: () => {
      file.flush();
      isDone = true;
      file.close();
    },
    discard: () => {
      if (isDone) return;
      isDone = true;
      // What was free is free again; what force has overwritten is gone, and the caller has seen to it that no header
      // makes the remains look whole.
      try {
        if (!force) file.clear(offset, length, sizeBefore);
      } finally {
        file.close();
      }
    },
  };
}

const CHUNK_BYTES = 1024 * 1024;

function requireFree(source: ByteSource, offset: number, length: number): void {
  const end = Math.min(source.size, offset + length);
  for (const extent of source.dataExtents?.() ?? [{ start: 0, end: source.size }]) {
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
