// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { concatBytes } from '@vouchsafe/base';
import { type ByteSink, type ByteSource, MemorySink, memorySource, readBytes } from '@vouchsafe/bytes';
import { OutputFile } from '@vouchsafe/bytes/node';
import { DiskError, type DiskErrorCode, type FatMember, planFat32 } from '@vouchsafe/disk';

/** The seed of the vectors in image/ddi. */
export const SEED = '48c56959-5579-5709-85af-f5393936a4d8';
export const TIMESTAMP = 1700000000;

export function readTestdata(path: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../testdata/${path}`, import.meta.url)));
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function textSource(text: string): ByteSource {
  return memorySource(bytesOf(text));
}

/** Bytes that differ from place to place. */
export function patternSource(size: number, factor = 31): ByteSource {
  return memorySource(Uint8Array.from({ length: size }, (_, i) => (i * factor) >> 3));
}

/** What a writer writes, in memory. */
export function written(write: (sink: ByteSink) => void): Uint8Array {
  const sink = new MemorySink(256 * 1024 * 1024);
  write(sink);
  return sink.bytes();
}

export function writeFile(path: string, write: (sink: ByteSink) => void): string {
  const file = OutputFile.create(path, { force: true });
  write(file);
  file.commit();
  return path;
}

export function withCode(code: DiskErrorCode): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof DiskError, `expected a DiskError, got ${error}`);
    assert.equal(error.code, code, error.message);
    return true;
  };
}

/** A file that is mostly zeros, in memory: what is written, by pages. */
export class SparseBytes implements ByteSink, ByteSource {
  readonly label = 'sparse';
  readonly #pages = new Map<number, Uint8Array>();
  size = 0;

  write(offset: number, bytes: Uint8Array): void {
    this.#each(offset, bytes.length, (page, within, from, length) => {
      const target = this.#pages.get(page) ?? new Uint8Array(PAGE);
      this.#pages.set(page, target);
      target.set(bytes.subarray(from, from + length), within);
    });
    this.size = Math.max(this.size, offset + bytes.length);
  }

  read(offset: number, target: Uint8Array): void {
    assert.ok(offset >= 0 && offset + target.length <= this.size, `read of ${offset} + ${target.length}`);
    this.#each(offset, target.length, (page, within, from, length) => {
      const source = this.#pages.get(page)?.subarray(within, within + length) ?? new Uint8Array(length);
      target.set(source, from);
    });
  }

  #each(offset: number, size: number, visit: (page: number, within: number, from: number, length: number) => void) {
    for (let from = 0; from < size; ) {
      const at = offset + from;
      const within = at % PAGE;
      const length = Math.min(PAGE - within, size - from);
      visit(Math.floor(at / PAGE), within, from, length);
      from += length;
    }
  }
}

const PAGE = 65536;

/** Octets of the table of `smallFat32`. */
const SMALL_FAT_BYTES = 512;
const CLUSTER_BYTES = 512;

/**
 * A FAT32 volume of 64 KiB or so, as mkfs.vfat -F 32 makes it when told to: what planFat32 writes, which has 65541
 * clusters at least, cut down to its first 126.
 */
export function smallFat32(members: readonly FatMember[]): Uint8Array {
  const large = new SparseBytes();
  const plan = planFat32({ members, sectorSize: 512, volumeId: 1, label: 'SMALL', timestampSeconds: TIMESTAMP });
  plan.write(large);
  const { fatOffsetBytes, dataOffsetBytes } = plan.geometry;
  const dataBytes = 126 * CLUSTER_BYTES;
  const head = readBytes(large, 0, fatOffsetBytes);
  const fat = readBytes(large, fatOffsetBytes, SMALL_FAT_BYTES);
  const small = concatBytes(head, fat, fat, readBytes(large, dataOffsetBytes, dataBytes));
  const view = new DataView(small.buffer);
  view.setUint32(32, small.length / 512, true);
  view.setUint32(36, SMALL_FAT_BYTES / 512, true);
  return small;
}
