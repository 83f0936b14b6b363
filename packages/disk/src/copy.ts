// SPDX-License-Identifier: Apache-2.0
import type { CancelSignal } from '@vouchsafe/base';
import type { ByteSink, ByteSource, Extent } from '@vouchsafe/bytes';

/** Fits a core's own cache with what the system copies from and to: with 1 MiB the same takes up to four times as long. */
const CHUNK_BYTES = 256 * 1024;

/** `copyRange` of all of a source. */
export function copySource(source: ByteSource, sink: ByteSink, offset: number, signal?: CancelSignal): void {
  copyRange(source, source.size, sink, offset, signal);
}

/**
 * Writes the first `length` octets of a source at `offset` of a sink, a chunk at a time. Holes of the source are not
 * written, but for its last octet: what a sink was never given reads as zeros.
 * @throws {BytesError} from either side.
 */
function copyRange(source: ByteSource, length: number, sink: ByteSink, offset: number, signal?: CancelSignal): void {
  if (length === 0) return;
  const whole: Extent = { start: 0, end: length };
  const buffer = new Uint8Array(Math.min(CHUNK_BYTES, length));
  let written = 0;
  for (const { start, end } of source.dataExtents?.() ?? [whole]) {
    const stop = Math.min(end, length);
    for (let at = start; at < stop; at += buffer.length) {
      signal?.throwIfAborted();
      const chunk = buffer.subarray(0, Math.min(buffer.length, stop - at));
      source.read(at, chunk);
      sink.write(offset + at, chunk);
      written = at + chunk.length;
    }
  }
  // A hole at the end must not make the output shorter.
  if (written < length) sink.write(offset + length - 1, new Uint8Array(1));
}
