// SPDX-License-Identifier: Apache-2.0
import type { LongWork } from '@vouchsafe/base';
import type { ByteSink } from '@vouchsafe/bytes';
import { columnReader, type FecInput, requireInput } from './fec-input.ts';
import type { FecGeometry } from './fec-layout.ts';
import { ParityEncoder } from './parity-encoder.ts';

/**
 * Codewords at a time: reads are this long, and the buffers take up to 56 octets for each (24 roots), 4 MiB in all.
 * Longer runs gain nothing once a read is long enough for the disk, and the registers leave the second level cache.
 */
const RUN = 64 * 1024;

/** Where the parity goes: `geometry.paritySizeBytes` octets from `offsetBytes` on. */
export interface FecOutput {
  readonly sink: ByteSink;
  readonly offsetBytes: number;
}

/**
 * Computes and writes the parity area, byte for byte what `veritysetup format --fec-device` writes. The hash area must
 * be complete; the superblock need not be, as it is not protected. Memory does not grow with the image.
 *
 * What `signal` throws passes through, and leaves the output incomplete.
 * @throws {VerityError} 'data_size', 'tree_short' when a source ends before the layout does.
 * @throws {BytesError} from the sources and the sink.
 */
export async function writeFec(
  geometry: FecGeometry,
  input: FecInput,
  output: FecOutput,
  work: LongWork = {},
): Promise<void> {
  requireInput(geometry, input);
  const { codewords, roots, inputSizeBytes: total } = geometry;
  const run = Math.min(RUN, codewords);
  const encoder = new ParityEncoder(roots, run);
  const buffer = new Uint8Array(run * roots);
  for (let codeword = 0; codeword < codewords; codeword += run) {
    work.signal?.throwIfAborted();
    const length = Math.min(run, codewords - codeword);
    const parity = buffer.subarray(0, length * roots);
    encoder.encode(length, columnReader(geometry, input, codeword), parity);
    output.sink.write(output.offsetBytes + codeword * roots, parity);
    const done = Math.floor(total * ((codeword + length) / codewords));
    await work.onProgress?.({ phase: 'computing parity', done, total });
  }
}
