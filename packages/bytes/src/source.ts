// SPDX-License-Identifier: Apache-2.0
import { BytesError } from './error.ts';

/** A run of bytes, from start up to but not including end, in octets. */
export interface Extent {
  readonly start: number;
  readonly end: number;
}

/**
 * Random access to a fixed number of bytes: a file, a partition inside it, memory.
 *
 * Reading is synchronous, as digests are, so that parsing and appraisal stay plain functions; long work yields through
 * its progress callback. Offsets are octets and safe integers (up to 8 PiB).
 */
export interface ByteSource {
  /** In octets. */
  readonly size: number;
  /** What to call it in messages: a file name, 'memory'. */
  readonly label: string;
  /**
   * Fills all of `target` from `offset`.
   * @throws {BytesError} 'out_of_range' when the range is not inside the source, 'short_read' when the source has shrunk
   * since it was opened, 'io' when the host refused.
   */
  read(offset: number, target: Uint8Array): void;
  /** Fills the targets one after the other; one system call where the host can. */
  readScattered?(offset: number, targets: readonly Uint8Array[]): void;
  /**
   * Where the source holds data, in order and apart; what lies between reads as zeros. Absent, or one extent, when the
   * host does not know.
   */
  dataExtents?(): readonly Extent[];
}

/** Fills the targets one after the other, in one call where the source can. */
export function readScattered(source: ByteSource, offset: number, targets: readonly Uint8Array[]): void {
  if (source.readScattered) {
    source.readScattered(offset, targets);
    return;
  }
  let at = offset;
  for (const target of targets) {
    source.read(at, target);
    at += target.length;
  }
}

/** A new array with `length` bytes from `offset`. The caller has bounded `length`. */
export function readBytes(source: ByteSource, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  source.read(offset, bytes);
  return bytes;
}

/** @throws {BytesError} 'out_of_range' unless [offset, offset + length) lies inside the source. */
export function requireRange(
  source: { readonly size: number; readonly label: string },
  offset: number,
  length: number,
): void {
  const areWhole = Number.isSafeInteger(offset) && Number.isSafeInteger(length);
  if (!areWhole || offset < 0 || length < 0 || offset + length > source.size) {
    throw new BytesError(
      'out_of_range',
      `${source.label}: needs octets ${offset} to ${offset + length}, but it ends at ${source.size}`,
    );
  }
}
