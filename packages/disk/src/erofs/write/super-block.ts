// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '@vouchsafe/base';
import { encode, isUuidText } from '@vouchsafe/codec';
import { crc32cRaw } from '../../crc32.ts';
import { DiskError } from '../../error.ts';
import { COMPAT } from '../features.ts';
import { erofsSuperBlock, SUPERBLOCK_OFFSET } from '../structures.ts';
import type { ImageInode } from './image-inode.ts';
import { type ErofsLayout, nidOf } from './layout.ts';

/** What an image says of itself. */
export interface ErofsIdentity {
  /** In text form; `fileSystemUuidFromPartition` gives systemd-repart's. */
  readonly uuid: string;
  /** Of the image, and of all inodes with that very time, which are smaller then; in seconds since 1970. */
  readonly timestampSeconds: number;
  /** At most 16 octets of UTF-8; none unless given. */
  readonly label?: string | undefined;
}

/** @throws {DiskError} 'options_invalid', 'name_invalid' for a label that does not fit. */
export function requireIdentity({ uuid, timestampSeconds, label }: ErofsIdentity): void {
  if (!Number.isSafeInteger(timestampSeconds) || timestampSeconds < 0) {
    throw new DiskError(
      'options_invalid',
      `EROFS: expected a time in whole seconds since 1970, found ${timestampSeconds}`,
    );
  }
  if (!isUuidText(uuid)) {
    throw new DiskError('options_invalid', `EROFS: expected a UUID, found ${JSON.stringify(uuid)}`);
  }
  encodeVolumeName(label);
}

/** The first block: zeros, the superblock, zeros; with a checksum over all from the superblock on. */
export function encodeFirstBlock(
  identity: ErofsIdentity,
  { inodes, blocks, metaBlock, xattrBlock }: ErofsLayout,
  featureIncompat: number,
  blockBits: number,
): Uint8Array {
  const superblock = encode(erofsSuperBlock, {
    magic: 0xe0f5e1e2,
    checksum: 0,
    featureCompat: COMPAT.checksum | COMPAT.mtime,
    blockSizeBits: blockBits,
    extensionSlots: 0,
    rootNid: nidOf(inodes[0] as ImageInode),
    inodes: BigInt(inodes.length),
    epoch: BigInt(identity.timestampSeconds),
    fixedNanoseconds: 0,
    blocks,
    metaBlock,
    xattrBlock,
    uuid: identity.uuid,
    volumeName: encodeVolumeName(identity.label),
    featureIncompat,
    compression: 0,
    extraDevices: 0,
    deviceSlot: 0,
    directoryBlockBits: 0,
    xattrPrefixes: 0,
    xattrPrefixStart: 0,
    packedNid: 0n,
    xattrFilter: 0,
    reserved: new Uint8Array(23),
  });
  const block = new Uint8Array(2 ** blockBits);
  block.set(superblock, SUPERBLOCK_OFFSET);
  new DataView(block.buffer).setUint32(SUPERBLOCK_OFFSET + 4, crc32cRaw(block.subarray(SUPERBLOCK_OFFSET)), true);
  return block;
}

function encodeVolumeName(label = ''): Uint8Array {
  const octets = utf8(label);
  if (octets.length > 16 || label.includes('\0') || !label.isWellFormed()) {
    throw new DiskError('name_invalid', `EROFS: expected a label of at most 16 octets, found ${JSON.stringify(label)}`);
  }
  const cell = new Uint8Array(16);
  cell.set(octets);
  return cell;
}
