// SPDX-License-Identifier: Apache-2.0
import { type ByteSource, requireRange } from '@vouchsafe/bytes';
import { decompressLz4, Lz4Fault } from '../../lz4/decompress.ts';
import { ADVISE, CLUSTER_TYPES } from '../structures.ts';
import { type ClusterEntry, ClusterMap } from './cluster-map.ts';
import type { ErofsInode } from './inode.ts';
import { erofsMalformed, erofsUnsupported } from './malformed.ts';
import type { ErofsVolume } from './volume.ts';

/** Octets of a compressed extent, on both sides. Linux, fs/erofs/erofs_fs.h, Z_EROFS_PCLUSTER_MAX_SIZE and _DSIZE. */
const MAX_COMPRESSED_BYTES = 1024 * 1024;
const MAX_EXTENT_BYTES = 12 * 1024 * 1024;
/** As bits of the image's algorithms, and as numbers of an inode's. Linux, fs/erofs/erofs_fs.h, Z_EROFS_COMPRESSION_*. */
const ALGORITHMS = ['LZ4', 'LZMA', 'DEFLATE', 'Zstandard'];
const WINDOW_BYTES = 128 * 1024;

/** A run of a file that is stored as one. */
interface FileExtent {
  readonly start: number;
  readonly end: number;
  readonly storage:
    | { readonly kind: 'plain' | 'lz4'; readonly offset: number; readonly length: number }
    | { readonly kind: 'fragment' };
}

/**
 * A compressed file. What is decompressed at a time, and kept, is one extent: 12 MiB at most.
 * @param packed opens the packed inode, which holds the ends of files, or all of some.
 * @throws {DiskError} 'erofs_malformed', 'erofs_unsupported' for another algorithm than LZ4; reading may throw these too.
 */
export function compressedSource(
  volume: ErofsVolume,
  inode: ErofsInode,
  label: string,
  packed: () => ByteSource,
): ByteSource {
  const extents = new ExtentReader(volume, inode, packed);
  const file: ByteSource = {
    size: inode.sizeBytes,
    label,
    read(offset, target) {
      requireRange(file, offset, target.length);
      for (let done = 0; done < target.length; ) done += extents.read(offset + done, target.subarray(done));
    },
  };
  return file;
}

class ExtentReader {
  readonly #volume: ErofsVolume;
  readonly #inode: ErofsInode;
  readonly #packed: () => ByteSource;
  readonly #map: ClusterMap;
  /** The head of the last extent, where that is stored in another way than the rest. */
  readonly #tailHead: number | undefined;
  readonly #fragmentOffset: number;
  #extent: FileExtent | undefined;
  /** What the extent has, when it is compressed and had to be decompressed as a whole. */
  #content: Uint8Array | undefined;
  #window = new Uint8Array(0);
  #windowOffset = 0;

  constructor(volume: ErofsVolume, inode: ErofsInode, packed: () => ByteSource) {
    this.#volume = volume;
    this.#inode = inode;
    this.#packed = packed;
    this.#map = new ClusterMap(volume, inode);
    const { fragmentOffset = 0n, clusters, inlineBytes, isWholeFragment, advise } = this.#map;
    this.#fragmentOffset = Number(fragmentOffset);
    const hasTail = clusters > 0 && (inlineBytes > 0 || (advise & ADVISE.fragment) !== 0);
    if (!hasTail || isWholeFragment) return;
    const tail = this.#headOf(inode.sizeBytes - 1);
    this.#tailHead = tail.cluster;
    // An index of the long form has the upper half of the place where the others have a block.
    if (inode.layout === 'compressed-full' && inlineBytes === 0) this.#fragmentOffset += tail.block * 2 ** 32;
  }

  /** Fills as much of the target as comes out of one extent. @returns how much. */
  read(offset: number, target: Uint8Array): number {
    if (this.#extent === undefined || offset < this.#extent.start || offset >= this.#extent.end) {
      this.#extent = this.#extentAt(offset);
      this.#content = undefined;
    }
    const { start, end, storage } = this.#extent;
    const length = Math.min(target.length, end - offset);
    const part = target.subarray(0, length);
    if (storage.kind === 'fragment') this.#readFragment(offset - start, part);
    else if (storage.kind === 'plain') this.#readPlain(storage, this.#extent, offset, part);
    else if (this.#content === undefined && length === end - start) this.#decompress(storage, part);
    else {
      if (this.#content === undefined) {
        this.#content = new Uint8Array(end - start);
        this.#decompress(storage, this.#content);
      }
      part.set(this.#content.subarray(offset - start, offset - start + length));
    }
    return length;
  }

  #extentAt(offset: number): FileExtent {
    const { sizeBytes } = this.#inode;
    const { blockBytes, source } = this.#volume;
    const map = this.#map;
    if (map.isWholeFragment) return { start: 0, end: sizeBytes, storage: { kind: 'fragment' } };
    const head = this.#headOf(offset);
    const start = head.cluster * blockBytes + head.offset;
    const end = this.#endOf(head.cluster, start);
    if (head.cluster === this.#tailHead && (map.advise & ADVISE.fragment) !== 0) {
      return { start, end, storage: { kind: 'fragment' } };
    }
    const isInline = head.cluster === this.#tailHead;
    const place = isInline ? map.endOffset : head.block * blockBytes;
    const length = isInline ? map.inlineBytes : this.#blocksOf(head.cluster, head.type) * blockBytes;
    if (isInline && (place % blockBytes) + length > blockBytes) {
      throw this.#malformed('expected the last block behind the index inside one block of the image');
    }
    if (length > MAX_COMPRESSED_BYTES) throw this.#malformed(`expected at most 1 MiB for ${start}, found ${length}`);
    if (place + length > source.size) throw this.#malformed(`expected what ${start} is in inside the image`);
    if (head.type === CLUSTER_TYPES.plain) {
      if (end - start > length)
        throw this.#malformed(`expected at most ${length} octets at ${start}, found ${end - start}`);
      return { start, end, storage: { kind: 'plain', offset: place, length } };
    }
    const algorithm = map.algorithms[head.type === CLUSTER_TYPES.head2 ? 1 : 0];
    if (algorithm !== 0) {
      const name = ALGORITHMS[algorithm] ?? `algorithm ${algorithm}`;
      throw erofsUnsupported(source, `inode ${this.#inode.nid}: it is compressed with ${name}; LZ4 is read`);
    }
    return { start, end, storage: { kind: 'lz4', offset: place, length } };
  }

  /** The head of the extent that an octet is in. */
  #headOf(offset: number): ClusterEntry & { readonly cluster: number } {
    const { blockBytes } = this.#volume;
    const first = Math.floor(offset / blockBytes);
    let cluster = first;
    let entry = this.#map.entry(cluster);
    let { back } = entry;
    if (entry.type !== CLUSTER_TYPES.nonHead) {
      if (offset >= cluster * blockBytes + entry.offset) return { cluster, ...entry };
      // That is the head of the next extent: the one before reaches into this cluster.
      back = 1;
    }
    do {
      if (back === 0 || back > cluster || (first - cluster + back) * blockBytes > MAX_EXTENT_BYTES + blockBytes) {
        throw this.#malformed(`expected a head ${back} clusters before cluster ${cluster}`);
      }
      cluster -= back;
      entry = this.#map.entry(cluster);
      ({ back } = entry);
    } while (entry.type === CLUSTER_TYPES.nonHead);
    return { cluster, ...entry };
  }

  /** Where the next head is, or the file ends. */
  #endOf(head: number, start: number): number {
    const { sizeBytes } = this.#inode;
    const { blockBytes } = this.#volume;
    for (let cluster = head + 1; ; cluster++) {
      const at = cluster * blockBytes;
      let end = sizeBytes;
      if (at < sizeBytes) {
        const entry = this.#map.entry(cluster);
        if (entry.type === CLUSTER_TYPES.nonHead) {
          if (at - start > MAX_EXTENT_BYTES) throw this.#malformed(`expected at most 12 MiB from ${start} on`);
          continue;
        }
        end = Math.min(sizeBytes, at + entry.offset);
      }
      if (end - start > MAX_EXTENT_BYTES) throw this.#malformed(`expected at most 12 MiB from ${start} on`);
      return end;
    }
  }

  #blocksOf(head: number, type: number): number {
    if (!this.#map.hasBlockCounts(type) || head + 1 >= this.#map.clusters) return 1;
    const next = this.#map.entry(head + 1);
    if (next.type !== CLUSTER_TYPES.nonHead) return 1;
    if (next.blockCount === undefined || next.blockCount === 0) {
      throw this.#malformed(`expected cluster ${head + 1} to say how many blocks the one before has`);
    }
    return next.blockCount;
  }

  #readFragment(from: number, target: Uint8Array): void {
    const offset = this.#fragmentOffset + from;
    const packed = this.#packed();
    if (offset + target.length > packed.size) {
      throw this.#malformed(`expected its end inside the packed inode, found octet ${offset}`);
    }
    packed.read(offset, target);
  }

  /** Linux, fs/erofs/decompressor.c, z_erofs_transform_plain. */
  #readPlain(
    storage: { readonly offset: number; readonly length: number },
    { start, end }: FileExtent,
    offset: number,
    target: Uint8Array,
  ): void {
    const { source, blockBytes } = this.#volume;
    const isInterlaced = (this.#map.advise & ADVISE.interlaced) !== 0;
    if (!isInterlaced || start % blockBytes === 0 || storage.length !== blockBytes) {
      source.read(storage.offset + offset - start, target);
      return;
    }
    // Turned around inside the block: the part up to the end of the cluster is at the block's end.
    const inFirst = Math.max(0, Math.min(target.length, blockBytes - (start % blockBytes) - (offset - start)));
    if (inFirst > 0) source.read(storage.offset + (offset % blockBytes), target.subarray(0, inFirst));
    if (inFirst < target.length) {
      const at = (offset + inFirst) % blockBytes;
      if (at + target.length - inFirst > end - start) throw this.#malformed(`expected less than a block at ${start}`);
      source.read(storage.offset + at, target.subarray(inFirst));
    }
  }

  #decompress({ offset, length }: { readonly offset: number; readonly length: number }, target: Uint8Array): void {
    const input = this.#compressed(offset, length);
    // What is compressed stands at the end of its blocks, behind zeros; a first octet is never zero. Older images have it at
    // the start, and zeros behind.
    let from = 0;
    while (input[from] === 0) from++;
    try {
      decompressLz4(input.subarray(from), target);
    } catch (error) {
      if (error instanceof Lz4Fault)
        throw this.#malformed(`LZ4 at octet ${offset + from + error.offset}: ${error.message}`);
      throw error;
    }
  }

  /** Compressed blocks follow each other: several come with one read. */
  #compressed(offset: number, length: number): Uint8Array {
    const at = offset - this.#windowOffset;
    if (at >= 0 && at + length <= this.#window.length) return this.#window.subarray(at, at + length);
    const { source } = this.#volume;
    const wanted = Math.max(length, Math.min(WINDOW_BYTES, this.#inode.sizeBytes, source.size - offset));
    this.#window = new Uint8Array(wanted);
    this.#windowOffset = offset;
    source.read(offset, this.#window.subarray(0, Math.min(wanted, source.size - offset)));
    return this.#window.subarray(0, length);
  }

  #malformed(problem: string): Error {
    return erofsMalformed(this.#volume.source, `inode ${this.#inode.nid}: ${problem}`);
  }
}
