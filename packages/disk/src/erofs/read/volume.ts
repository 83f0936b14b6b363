// SPDX-License-Identifier: Apache-2.0
import { parseUtf8 } from '@vouchsafe/base';
import { type ByteSource, readBytes, sliceSource } from '@vouchsafe/bytes';
import { decode, type Infer } from '@vouchsafe/codec';
import { crc32cRaw } from '../../crc32.ts';
import { DiskError } from '../../error.ts';
import { COMPAT, compatNames, INCOMPAT, incompatNames } from '../features.ts';
import { erofsSuperBlock, SLOT_BYTES, SUPERBLOCK_BYTES, SUPERBLOCK_OFFSET } from '../structures.ts';
import { erofsMalformed, erofsUnsupported } from './malformed.ts';
import { Pages } from './pages.ts';

/** An EROFS image whose superblock is sound. */
export interface ErofsVolume {
  /** The image without what follows it in its partition. */
  readonly source: ByteSource;
  readonly sizeBytes: number;
  readonly blockBytes: number;
  readonly uuid: string;
  /** '' for none. */
  readonly label: string;
  /** As the image says it; not counted. */
  readonly inodeCount: number;
  /** Since 1970: the time of all compact inodes, and when the image was made. */
  readonly epochSeconds: number;
  readonly epochNanoseconds: number;
  /** As dump.erofs names them. */
  readonly features: readonly string[];
  readonly rootNid: number;
  readonly layout: ErofsPlaces;
}

/** Where the parts of an image are, for the reader itself. */
export interface ErofsPlaces {
  readonly pages: Pages;
  readonly blockBits: number;
  readonly featureIncompat: number;
  /** Octets from the start of the image to where nid 0 would be. */
  readonly metaOffset: number;
  readonly xattrOffset: number;
  /** Bits of compression algorithms: 1 is LZ4. */
  readonly algorithms: number;
  /** Undefined without one. */
  readonly packedNid: number | undefined;
  /** Long prefixes of attribute names: how many, where, and in the packed inode or in the image. */
  readonly xattrPrefixes: { readonly count: number; readonly offset: number; readonly isPacked: boolean };
}

const KNOWN_INCOMPAT =
  INCOMPAT.lz4ZeroPadding |
  INCOMPAT.compressionConfigs |
  INCOMPAT.chunkedFile |
  INCOMPAT.deviceTable |
  INCOMPAT.tailPacking |
  INCOMPAT.fragments |
  INCOMPAT.xattrPrefixes;
const LZ4 = 1;
/** Linux mounts blocks from 512 octets to a page, which has 64 KiB at most; fs/erofs/super.c, erofs_read_superblock. */
const MIN_BLOCK_BITS = 9;
const MAX_BLOCK_BITS = 16;

type SuperBlock = Infer<typeof erofsSuperBlock>;

/**
 * @param source the image: a partition or a file, not a disk.
 * @throws {DiskError} 'erofs_missing' when there is no EROFS superblock, 'erofs_malformed' when it says what cannot be or
 * its checksum is wrong, 'erofs_unsupported' for a feature that is not known here. @throws {BytesError} from the source.
 */
export function openErofs(source: ByteSource): ErofsVolume {
  const superblock = readSuperBlock(source);
  const { featureCompat, featureIncompat, blockSizeBits } = superblock;
  const unknown = (featureIncompat & ~KNOWN_INCOMPAT) >>> 0;
  if (unknown !== 0) {
    throw erofsUnsupported(source, `it needs what this reader does not know: ${incompatNames(unknown).join(', ')}`);
  }
  if (blockSizeBits < MIN_BLOCK_BITS || blockSizeBits > MAX_BLOCK_BITS) {
    throw erofsMalformed(source, `expected blocks of 2^9 to 2^16 octets, found 2^${blockSizeBits}`);
  }
  const blockBytes = 2 ** blockSizeBits;
  if ((featureCompat & COMPAT.checksum) !== 0) requireChecksum(source, superblock.checksum, blockBytes);
  if (superblock.extraDevices > 0) {
    throw erofsUnsupported(source, `its data is on ${superblock.extraDevices} more devices (device_table)`);
  }
  if (superblock.directoryBlockBits !== 0)
    throw erofsUnsupported(source, 'its directories have blocks of another size');
  const sizeBytes = superblock.blocks * blockBytes;
  if (sizeBytes > source.size) {
    throw erofsMalformed(
      source,
      `expected ${sizeBytes} octets, found ${source.size}; it is cut off, or a part is missing`,
    );
  }
  const image = sliceSource(source, 0, sizeBytes);
  return {
    source: image,
    sizeBytes,
    blockBytes,
    uuid: superblock.uuid,
    label: labelOf(source, superblock.volumeName),
    inodeCount: count(source, superblock.inodes, 'number of inodes'),
    epochSeconds: count(source, BigInt.asIntN(64, superblock.epoch), 'time'),
    epochNanoseconds: superblock.fixedNanoseconds,
    features: [...compatNames(featureCompat), ...incompatNames(featureIncompat)],
    rootNid: superblock.rootNid,
    layout: placesOf(image, superblock),
  };
}

function readSuperBlock(source: ByteSource): SuperBlock {
  const end = SUPERBLOCK_OFFSET + SUPERBLOCK_BYTES;
  const bytes = source.size < end ? undefined : readBytes(source, SUPERBLOCK_OFFSET, SUPERBLOCK_BYTES);
  if (bytes === undefined || new DataView(bytes.buffer).getUint32(0, true) !== 0xe0f5e1e2) {
    throw new DiskError(
      'erofs_missing',
      `${source.label}: expected an EROFS superblock at octet ${SUPERBLOCK_OFFSET}, found none; is this the right partition?`,
    );
  }
  return decode(erofsSuperBlock, bytes);
}

/**
 * Over the first block from the superblock on, or over a whole block's length where that is not larger than what is
 * before the superblock. Linux, fs/erofs/super.c, erofs_superblock_csum_verify.
 */
function requireChecksum(source: ByteSource, expected: number, blockBytes: number): void {
  const length = blockBytes > SUPERBLOCK_OFFSET ? blockBytes - SUPERBLOCK_OFFSET : blockBytes;
  if (SUPERBLOCK_OFFSET + length > source.size) throw erofsMalformed(source, 'its first block is cut off');
  const bytes = readBytes(source, SUPERBLOCK_OFFSET, length);
  bytes.fill(0, 4, 8);
  const actual = crc32cRaw(bytes);
  if (actual !== expected) {
    throw erofsMalformed(source, `expected the checksum 0x${expected.toString(16)}, found 0x${actual.toString(16)}`);
  }
}

function placesOf(image: ByteSource, superblock: SuperBlock): ErofsPlaces {
  const { blockSizeBits, featureCompat, featureIncompat, packedNid } = superblock;
  const offsetOf = (block: number, what: string): number => {
    const offset = block * 2 ** blockSizeBits;
    if (offset > image.size) throw erofsMalformed(image, `expected ${what} inside the image, found block ${block}`);
    return offset;
  };
  const hasConfigs = (featureIncompat & INCOMPAT.compressionConfigs) !== 0;
  const hasPacked = (featureIncompat & INCOMPAT.fragments) !== 0 && packedNid !== 0n;
  const packed = hasPacked ? count(image, packedNid, 'number of the packed inode') : undefined;
  const hasPrefixes = (featureIncompat & INCOMPAT.xattrPrefixes) !== 0;
  return {
    pages: new Pages(image),
    blockBits: blockSizeBits,
    featureIncompat,
    metaOffset: offsetOf(superblock.metaBlock, 'inodes'),
    xattrOffset: offsetOf(superblock.xattrBlock, 'shared attributes'),
    algorithms: hasConfigs ? superblock.compression : LZ4,
    packedNid: packed,
    xattrPrefixes: {
      count: hasPrefixes ? superblock.xattrPrefixes : 0,
      offset: superblock.xattrPrefixStart * 4,
      isPacked: packed !== undefined && (featureCompat & COMPAT.plainXattrPrefixes) === 0,
    },
  };
}

function labelOf(source: ByteSource, cell: Uint8Array): string {
  const end = cell.indexOf(0);
  try {
    return parseUtf8(end < 0 ? cell : cell.subarray(0, end));
  } catch (cause) {
    throw new DiskError('erofs_malformed', `${source.label}: EROFS: expected a label in UTF-8`, { cause });
  }
}

function count(source: ByteSource, value: bigint, what: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw erofsMalformed(source, `expected a ${what} below 2^53, found ${value}`);
  return number;
}

/** Octets from the start of the image to an inode. */
export function inodeOffset({ source, layout }: ErofsVolume, nid: number): number {
  const offset = layout.metaOffset + nid * SLOT_BYTES;
  if (!Number.isSafeInteger(nid) || nid < 0 || offset >= source.size) {
    throw erofsMalformed(source, `expected the inodes inside the image, found number ${nid}`);
  }
  return offset;
}
