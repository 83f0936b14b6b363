// SPDX-License-Identifier: Apache-2.0
import { ascii, concatBytes } from '@vouchsafe/base';
import { decode, encode, u64le, uuid } from '@vouchsafe/codec';
import { hmac } from '@vouchsafe/crypto';
import { DiskError } from '../error.ts';

/** RFC 9562, section 5.4: version 4 and its variant, whatever the other bits are. systemd, sd-id128, id128_make_v4_uuid. */
function derive(key: string, message: Uint8Array): string {
  const octets = hmac('sha256', uuidBytes(key), message).slice(0, 16);
  octets[6] = ((octets[6] as number) & 0x0f) | 0x40;
  octets[8] = ((octets[8] as number) & 0x3f) | 0x80;
  return decode(uuid, octets);
}

const uuidBytes = (text: string): Uint8Array => encode(uuid, text);

/**
 * The disk's UUID that systemd-repart derives from a seed. systemd 257, src/repart/repart.c, "disk-uuid".
 * @throws {CodecError} 'invalid', as do the others here, for a text that is no UUID.
 */
export function diskUuidFromSeed(seedUuid: string): string {
  return derive(seedUuid, ascii('disk-uuid'));
}

/**
 * The UUID of the `n`-th partition of a type, from 0, that systemd-repart derives from a seed; the first has no number.
 * systemd 257, src/repart/repart.c, partition_acquire_uuid.
 */
export function partitionUuidFromSeed(seedUuid: string, typeUuid: string, n = 0): string {
  const type = uuidBytes(typeUuid);
  return derive(seedUuid, n === 0 ? type : concatBytes(type, encode(u64le, BigInt(n))));
}

/** The UUID of the file system on a partition. systemd 257, src/repart/repart.c, "file-system-uuid". */
export function fileSystemUuidFromPartition(partitionUuid: string): string {
  return derive(partitionUuid, ascii('file-system-uuid'));
}

/** The UUID of the LUKS volume on a partition. systemd 257, src/repart/repart.c, "luks-uuid". */
export function luksUuidFromPartition(partitionUuid: string): string {
  return derive(partitionUuid, ascii('luks-uuid'));
}

/** FAT's volume id from a file system UUID: its first 32 bits, big-endian. systemd 257, src/shared/mkfs-util.c. */
export function fatVolumeIdFromUuid(fileSystemUuid: string): number {
  return new DataView(uuidBytes(fileSystemUuid).buffer).getUint32(0);
}

/** Octets of root hash that both UUIDs together hold. */
const MIN_ROOT_HASH_BYTES = 32;

/**
 * The UUIDs of a data partition and its hash partition: the first and the last 16 octets of the root hash, in the order
 * of the text and without UUID version bits. UAPI.2 Discoverable Partitions, the verity types.
 * @throws {DiskError} 'options_invalid' for a root hash of less than 32 octets, whose halves would overlap.
 */
export function partitionUuidsFromRootHash(rootHash: Uint8Array): { readonly data: string; readonly hash: string } {
  if (rootHash.length < MIN_ROOT_HASH_BYTES) {
    throw new DiskError(
      'options_invalid',
      `expected a root hash of at least ${MIN_ROOT_HASH_BYTES} octets, found ${rootHash.length}; use SHA-256 or longer`,
    );
  }
  return { data: decode(uuid, rootHash.slice(0, 16)), hash: decode(uuid, rootHash.slice(-16)) };
}
