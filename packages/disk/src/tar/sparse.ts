// SPDX-License-Identifier: Apache-2.0
import { type ByteSource, type Extent, readBytes, requireRange } from '@vouchsafe/bytes';
import { decode } from '@vouchsafe/codec';
import { DiskError } from '../error.ts';
import { parseTarNumber, type TarHeader } from './header.ts';
import { latin1 } from './latin1.ts';
import { tarMalformed } from './malformed.ts';
import { type PaxRecord, paxInteger } from './pax.ts';
import { gnuHeaderRest, gnuSparseBlock, TAR_BLOCK_BYTES } from './structures.ts';

/** A run of data in a file with holes. */
export interface SparseRun {
  readonly offset: number;
  readonly length: number;
}

/** How a file with holes lies in an archive: its runs of data are there end to end. */
export interface SparseMap {
  readonly realSizeBytes: number;
  readonly runs: readonly SparseRun[];
}

/** Runs of one file; each costs memory. */
const MAX_RUNS = 1_000_000;

/**
 * The map of GNU tar's own format, which begins in the header and goes on in blocks behind it. GNU tar 1.34 manual, "Storing
 * Sparse Files", "Old GNU Format".
 * @returns also where the data begins.
 * @throws {DiskError} 'tar_malformed', 'limit'. @throws {BytesError}
 */
export function readOldGnuMap(
  source: ByteSource,
  { rest }: TarHeader,
  headerAt: number,
): { readonly map: SparseMap; readonly dataAt: number } {
  const { label } = source;
  const head = decode(gnuHeaderRest, rest);
  const runs: SparseRun[] = [];
  let isDone = addRuns(head.sparse, runs, label, headerAt + 386);
  let isExtended = head.isExtended !== 0;
  let at = headerAt + TAR_BLOCK_BYTES;
  while (isExtended) {
    if (at + TAR_BLOCK_BYTES > source.size)
      throw tarMalformed(label, at, 'expected more of the map of a sparse file, found the end');
    const block = decode(gnuSparseBlock, readBytes(source, at, TAR_BLOCK_BYTES));
    if (!isDone) isDone = addRuns(block.sparse, runs, label, at);
    isExtended = block.isExtended !== 0;
    at += TAR_BLOCK_BYTES;
  }
  const realSizeBytes = parseTarNumber(head.realSize, label, headerAt + 483);
  return { map: { realSizeBytes, runs }, dataAt: at };
}

/** @returns true at the end of the map, a run of which the fields are empty. */
function addRuns(octets: Uint8Array, runs: SparseRun[], label: string, offset: number): boolean {
  for (let at = 0; at + 24 <= octets.length; at += 24) {
    if (octets[at] === 0 || octets[at + 12] === 0) return true;
    addRun(
      runs,
      parseTarNumber(octets.subarray(at, at + 12), label, offset + at),
      parseTarNumber(octets.subarray(at + 12, at + 24), label, offset + at + 12),
    );
  }
  return false;
}

/**
 * The map that pax records hold: of GNU.sparse 0.0, a record for each number; of 0.1, all in one. GNU tar 1.34 manual, "PAX
 * Format, Versions 0.0 and 0.1".
 * @param own the member's own records, in order.
 * @returns undefined where they are of another format, or none.
 * @throws {DiskError} 'tar_malformed', 'limit'.
 */
export function paxSparseMap(own: readonly PaxRecord[], label: string): SparseMap | undefined {
  const last = (key: string): PaxRecord | undefined => own.findLast((record) => record.key === key);
  const size = last('GNU.sparse.size');
  if (size === undefined) return undefined;
  const realSizeBytes = paxInteger(size, label);
  const runs: SparseRun[] = [];
  const map = last('GNU.sparse.map');
  if (map !== undefined) {
    const numbers = latin1(map.value).split(',');
    if (numbers.length % 2 !== 0 && map.value.length > 0)
      throw tarMalformed(label, map.offset, 'expected pairs of numbers in the map of a sparse file');
    for (let i = 0; i + 1 < numbers.length; i += 2)
      addRun(runs, decimal(numbers[i], label, map.offset), decimal(numbers[i + 1], label, map.offset));
    return { realSizeBytes, runs };
  }
  let offset: number | undefined;
  for (const record of own) {
    if (record.key === 'GNU.sparse.offset') offset = paxInteger(record, label);
    if (record.key !== 'GNU.sparse.numbytes') continue;
    if (offset === undefined)
      throw tarMalformed(label, record.offset, 'expected GNU.sparse.offset before GNU.sparse.numbytes');
    addRun(runs, offset, paxInteger(record, label));
    offset = undefined;
  }
  return { realSizeBytes, runs };
}

/** Octets that a number in the map of format 1.0 may have, with its line feed. */
const MAX_LINE_BYTES = 20;
const MAP_CHUNK_BYTES = 64 * 1024;

/**
 * The map of GNU.sparse 1.0, which begins the content: the count of runs, then offset and size of each, a decimal number a
 * line, filled up to whole blocks. GNU tar 1.34 manual, "PAX Format, Version 1.0".
 * @param at where the content begins; `size` octets of it.
 * @throws {DiskError} 'tar_malformed', 'limit'. @throws {BytesError}
 */
export function readGnuMap1(
  source: ByteSource,
  at: number,
  size: number,
  realSizeBytes: number,
): { readonly map: SparseMap; readonly mapBytes: number } {
  const next = lines(source, at, size);
  const count = next.number();
  if (count > MAX_RUNS)
    throw new DiskError('limit', `${source.label}: expected at most ${MAX_RUNS} runs of a sparse file, found ${count}`);
  const runs: SparseRun[] = [];
  for (let i = 0; i < count; i++) addRun(runs, next.number(), next.number());
  const mapBytes = Math.ceil(next.read() / TAR_BLOCK_BYTES) * TAR_BLOCK_BYTES;
  if (mapBytes > size) throw tarMalformed(source.label, at, 'expected the map of a sparse file in whole blocks');
  return { map: { realSizeBytes, runs }, mapBytes };
}

/** Reads decimal lines, a chunk at a time. */
function lines(source: ByteSource, start: number, size: number) {
  let chunk: Uint8Array = new Uint8Array(0);
  let chunkAt = 0;
  let done = 0;
  return {
    read: (): number => done,
    number: (): number => {
      if (done + MAX_LINE_BYTES > chunkAt + chunk.length && chunkAt + chunk.length < size) {
        chunkAt = done;
        chunk = readBytes(source, start + done, Math.min(MAP_CHUNK_BYTES, size - done));
      }
      const rest = chunk.subarray(done - chunkAt, done - chunkAt + MAX_LINE_BYTES);
      const end = rest.indexOf(0x0a);
      if (end < 0)
        throw tarMalformed(
          source.label,
          start + done,
          'expected a decimal number and a line feed in the map of a sparse file',
        );
      const at = done;
      done += end + 1;
      return decimal(String.fromCharCode(...rest.subarray(0, end)), source.label, start + at);
    },
  };
}

function decimal(text: string | undefined, label: string, offset: number): number {
  const number = Number(text);
  if (text === undefined || !/^[0-9]+$/.test(text) || !Number.isSafeInteger(number)) {
    throw tarMalformed(label, offset, `expected a decimal number, found ${JSON.stringify(text?.slice(0, 40))}`);
  }
  return number;
}

function addRun(runs: SparseRun[], offset: number, length: number): void {
  if (runs.length >= MAX_RUNS) throw new DiskError('limit', `tar archive: more than ${MAX_RUNS} runs of a sparse file`);
  runs.push({ offset, length });
}

/**
 * A file with its holes, which read as zeros.
 * @param data the runs of data end to end.
 * @throws {DiskError} 'tar_malformed' when the runs are not in order, leave the file, or are not what `data` holds.
 */
export function sparseSource(
  data: ByteSource,
  { realSizeBytes, runs }: SparseMap,
  label: string,
  archive: string,
  at: number,
): ByteSource {
  const extents: Extent[] = [];
  const starts: number[] = [];
  let total = 0;
  let end = 0;
  for (const { offset, length } of runs) {
    if (offset < end || length < 0 || !Number.isSafeInteger(offset + length) || offset + length > realSizeBytes) {
      throw tarMalformed(
        archive,
        at,
        `${label}: expected runs of data in order inside ${realSizeBytes} octets, found ${length} at ${offset}`,
      );
    }
    end = offset + length;
    // GNU tar marks a hole at the end by an empty run.
    if (length === 0) continue;
    extents.push({ start: offset, end });
    starts.push(total);
    total += length;
  }
  if (realSizeBytes < 0 || total !== data.size) {
    throw tarMalformed(
      archive,
      at,
      `${label}: expected ${data.size} octets of data in a sparse file, found ${total} in its map`,
    );
  }
  const source: ByteSource = {
    size: realSizeBytes,
    label,
    dataExtents: () => extents,
    read(offset, target) {
      requireRange(source, offset, target.length);
      target.fill(0);
      const stop = offset + target.length;
      for (let i = firstEndingBehind(extents, offset); i < extents.length; i++) {
        const extent = extents[i] as Extent;
        if (extent.start >= stop) break;
        const [from, to] = [Math.max(offset, extent.start), Math.min(stop, extent.end)];
        data.read((starts[i] as number) + from - extent.start, target.subarray(from - offset, to - offset));
      }
    },
  };
  return source;
}

function firstEndingBehind(extents: readonly Extent[], offset: number): number {
  let [low, high] = [0, extents.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((extents[middle] as Extent).end <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
