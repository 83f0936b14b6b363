// SPDX-License-Identifier: Apache-2.0
import type { Finding } from '@vouchsafe/base';
import type { ExtensionFindingCode, FatFindingCode, GptFindingCode } from '@vouchsafe/disk';
import type { EspFindingCode, SignatureFindingCode, UkiFindingCode } from '@vouchsafe/pe';
import type { VerityFindingCode } from '@vouchsafe/verity';

export type DiskFindingCode =
  | 'partition_unreadable' // a partition whose content is not what its type says, and why
  | 'partition_unprotected' // a root or /usr partition without a hash tree
  | 'tree_without_data' // a hash tree for data that is not on the disk
  | 'signature_without_tree' // a signature of a root hash that no tree on the disk has
  | 'data_uuid' // a data partition whose UUID is not the beginning of the root hash
  | 'hash_uuid' // a hash partition whose UUID is not the end of the root hash
  | 'root_hash_unsigned' // a root hash without a signature beside it
  | 'root_hash_signature' // a signature partition that is for another root hash, or does not hold
  | 'root_hash_signer_unknown' // a signature that holds, by somebody that nobody was said to trust
  | 'data_uncovered' // octets of a data partition behind what its tree covers
  | 'boot_root_hash' // a command line with a root hash that is not on the disk
  | 'boot_root_hash_missing' // a kernel that is told no root hash, on a disk that has one
  | 'root_hash_unused' // a root hash that nothing on the disk boots
  | 'boot_missing' // nothing on the disk that could be booted
  | 'nothing_promised'; // nothing on the disk that could be checked

/** Everything that checking an image can find. */
export type ImageFindingCode =
  | DiskFindingCode
  | GptFindingCode
  | FatFindingCode
  | VerityFindingCode
  | UkiFindingCode
  | SignatureFindingCode
  | EspFindingCode
  | ExtensionFindingCode;
export type ImageFinding = Finding<ImageFindingCode>;

const MEANINGS: Readonly<Record<DiskFindingCode, readonly [ImageFinding['severity'], string]>> = {
  partition_unreadable: ['error', 'it is damaged, or not what its type says; make the image again'],
  partition_unprotected: [
    'warning',
    'whoever can write to the disk can change it, and nothing will tell; add a hash tree',
  ],
  tree_without_data: ['error', 'its data partition is missing, or has another UUID; make the image again'],
  signature_without_tree: ['error', 'it is left from another version; make the image again'],
  data_uuid: [
    'error',
    'systemd finds the partition by the root hash on the command line, and so not this one; make the image again',
  ],
  hash_uuid: [
    'error',
    'systemd finds the partition by the root hash on the command line, and so not this one; make the image again',
  ],
  root_hash_unsigned: [
    'warning',
    'an image policy that asks for a signature refuses the disk; add a signature partition',
  ],
  root_hash_signature: [
    'error',
    'systemd and the kernel refuse the partition where a signature is asked for; sign it again',
  ],
  root_hash_signer_unknown: [
    'warning',
    'the signature holds, but who signed was not compared with anything; name the certificate with --key',
  ],
  data_uncovered: [
    'warning',
    'the tree does not cover these octets, so anything may stand there; readers that go by the file system do not see them',
  ],
  boot_root_hash: ['error', 'what it boots is not on this disk; build it with the root hash of this image'],
  boot_root_hash_missing: [
    'warning',
    'it boots whatever root it is told or finds; put roothash= or usrhash= into its command line',
  ],
  root_hash_unused: ['warning', 'nothing on this disk boots it; it may be the slot of another version'],
  boot_missing: ['info', 'the disk is for containers, extensions or data, or something is missing'],
  nothing_promised: [
    'warning',
    'neither a hash tree nor a signature is on the disk, so that nothing could be checked but its form',
  ],
};

export function diskFinding(
  code: DiskFindingCode,
  where: ImageFinding['where'],
  values: { readonly expected?: string; readonly actual?: string; readonly hint?: string } = {},
): ImageFinding {
  const [severity, hint] = MEANINGS[code];
  return { code, severity, where, hint, ...values };
}
