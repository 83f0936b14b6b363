// SPDX-License-Identifier: Apache-2.0
import type { LongWork } from '@vouchsafe/base';
import type { ByteSink } from '@vouchsafe/bytes';
import { FileSource, InPlaceFile, OutputFile, type PublishedFile } from '@vouchsafe/bytes/node';

/** Octets that are copied between two turns of the event loop. */
const CHUNK_BYTES = 1024 * 1024;

/** A file or device to mend: where it stands, or as a copy. */
export interface MendTarget extends ByteSink, Disposable {
  /** What is mended, as it stands; for a copy nothing is in it before `prepare`. */
  readonly source: FileSource;
  /** The file as it was given. */
  readonly original: FileSource;
  /** Makes the copy, if there is to be one. */
  prepare(work: LongWork): Promise<void>;
  /** Returns when what was written is on the device. */
  flush(): void;
  /** Gives a copy its name; without this it leaves nothing. */
  commit(): void;
  /** As `commit`, for several at once. */
  readonly publish?: () => PublishedFile;
}

/**
 * Opens what is to be mended.
 * @param output where a copy goes; without one the file is written where it stands, and is opened for that only when
 * there is something to write: whoever has no damage needs no permission.
 * @throws {BytesError} 'exists' for an output that is there already, unless forced; what the host refuses.
 */
export function openMendTarget(path: string, output: string | undefined, force: boolean): MendTarget {
  return output === undefined ? inPlace(path) : copyOf(path, output, force);
}

function inPlace(path: string): MendTarget {
  const source = FileSource.open(path, { changes: true });
  let file: InPlaceFile | undefined;
  return {
    label: path,
    source,
    original: source,
    prepare: async () => {},
    write: (offset, bytes) => {
      file ??= InPlaceFile.open(path);
      file.write(offset, bytes);
    },
    flush: () => file?.flush(),
    commit: () => {},
    [Symbol.dispose]: () => {
      file?.close();
      source.close();
    },
  };
}

function copyOf(path: string, output: string, force: boolean): MendTarget {
  using files = new DisposableStack();
  const original = files.use(FileSource.open(path));
  const copy = files.use(OutputFile.create(output, { force }));
  const { size } = original;
  const rest = files.move();
  return {
    label: output,
    original,
    source: FileSource.over({ fd: copy.fd, label: output, size, extents: [{ start: 0, end: size }] }),
    prepare: (work) => copyData(original, copy, work),
    write: (offset, bytes) => copy.write(offset, bytes),
    flush: () => copy.flush(),
    commit: () => copy.commit(),
    publish: copy.publish,
    [Symbol.dispose]: () => rest.dispose(),
  };
}

/** Copies what the source holds; its holes stay holes. */
async function copyData(source: FileSource, sink: ByteSink, { signal, onProgress }: LongWork): Promise<void> {
  const total = source.size;
  const buffer = new Uint8Array(Math.min(CHUNK_BYTES, total));
  for (const { start, end } of source.dataExtents()) {
    for (let at = start; at < end; at += CHUNK_BYTES) {
      signal?.throwIfAborted();
      const chunk = buffer.subarray(0, Math.min(CHUNK_BYTES, end - at));
      source.read(at, chunk);
      sink.write(at, chunk);
      await onProgress?.({ phase: 'copying', done: at + chunk.length, total });
    }
  }
  // A hole at the end has a size only when something is written behind it.
  const last = source.dataExtents().at(-1)?.end ?? 0;
  if (last < total) sink.write(total - 1, new Uint8Array(1));
  await onProgress?.({ phase: 'copying', done: total, total });
}
