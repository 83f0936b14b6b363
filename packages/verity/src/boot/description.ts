// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { VerityError } from '../error.ts';
import { type HashAreaPlace, treeLayout } from '../tree/layout.ts';
import type { VerityParameters } from '../tree/parameters.ts';

/** What a boot loader, kernel or initrd needs to know to open a verity root. */
export interface VerityDescription {
  readonly parameters: VerityParameters;
  readonly place: HashAreaPlace;
  readonly rootHash: Uint8Array;
  /** The devices' names at boot, as the form of output wants them: a path, PARTUUID=…, major:minor. */
  readonly dataDevice: string;
  readonly hashDevice: string;
}

const saltText = (salt: Uint8Array): string => (salt.length === 0 ? '-' : toHex(salt));

/** `roothash=`, for systemd-veritysetup-generator and veritysetup in initrds. systemd-veritysetup-generator(8). */
export function formatRoothash({ rootHash }: VerityDescription): string {
  return `roothash=${toHex(rootHash)}`;
}

/** `usrhash=`, the same for /usr. systemd-veritysetup-generator(8). */
export function formatUsrhash({ rootHash }: VerityDescription): string {
  return `usrhash=${toHex(rootHash)}`;
}

/**
 * The command line of confidential containers' measured root file system, which kata-containers read until its pull
 * request 12396 (2026-01). The salt and the sizes come from the superblock.
 */
export function formatCcRootfsVerity({ rootHash }: VerityDescription): string {
  return `cc_rootfs_verity.scheme=dm-verity cc_rootfs_verity.hash=${toHex(rootHash)}`;
}

/**
 * kata-containers' `kernel_verity_params` (since pull request 12396, 2026-01), which its shim turns into a
 * `dm-mod.create=` line. src/runtime-rs, kernel_param.rs. That line has more in it than can be said here: hash type 1,
 * sha256, and a tree that begins its device, without a superblock; see `kataObstacle`.
 */
export function formatKataParameters({ parameters: p, rootHash }: VerityDescription): string {
  return [
    `root_hash=${toHex(rootHash)}`,
    `salt=${toHex(p.salt)}`,
    `data_blocks=${p.dataBlocks}`,
    `data_block_size=${p.dataBlockSize}`,
    `hash_block_size=${p.hashBlockSize}`,
  ].join(',');
}

/** Why kata-containers cannot boot this tree, whatever it is told; undefined when it can. */
export function kataObstacle({ parameters: p, place }: VerityDescription): string | undefined {
  if (place.hasSuperblock) return 'kata-containers takes trees without a superblock only; format with --no-superblock';
  if (place.offset !== 0) return `kata-containers expects the tree at the start of its device, not at ${place.offset}`;
  if (p.algorithm !== 'sha256') return `kata-containers knows sha256 only, not ${p.algorithm}`;
  if (p.hashType !== 1) return `kata-containers knows hash type 1 only, not ${p.hashType}`;
  if (p.salt.length === 0) return 'kata-containers needs a salt';
  return undefined;
}

/** Device-mapper counts in sectors of this size, whatever the disk's. */
const SECTOR_BYTES = 512;

/**
 * One line of a device-mapper table: start and length in sectors of 512 octets, then the target's arguments.
 * Linux, Documentation/admin-guide/device-mapper/verity.rst, "Construction Parameters".
 * @throws {VerityError} 'options_invalid' for a device's name that would end the field early.
 */
export function formatDmTable(d: VerityDescription): string {
  requireFields(/[\s\\]/, 'a device-mapper table; no spaces or backslashes', d.dataDevice, d.hashDevice);
  const { parameters: p } = d;
  const hashStart = treeLayout(p, d.place).start / p.hashBlockSize;
  return [
    0,
    (p.dataBlocks * p.dataBlockSize) / SECTOR_BYTES,
    'verity',
    p.hashType,
    d.dataDevice,
    d.hashDevice,
    p.dataBlockSize,
    p.hashBlockSize,
    p.dataBlocks,
    hashStart,
    p.algorithm,
    toHex(d.rootHash),
    saltText(p.salt),
  ].join(' ');
}

/**
 * The kernel parameter that makes the device without an initrd. Linux, Documentation/admin-guide/device-mapper/dm-init.rst
 * (needs CONFIG_DM_INIT, which Debian's kernels do not have).
 * @throws {VerityError} 'options_invalid' for a name that would end the field early.
 */
export function formatDmModCreate(d: VerityDescription, name: string): string {
  // Linux, drivers/md/dm-init.c, str_field_delimit: a separator cannot be escaped.
  const why = 'dm-mod.create=; no commas, semicolons, quotes, spaces or backslashes';
  requireFields(/[,;"\s\\]/, why, name, d.dataDevice, d.hashDevice);
  return `dm-mod.create="${name},,,ro,${formatDmTable(d)}"`;
}

/**
 * A file of trusted root hashes for the kernel's LoadPin. Linux, security/loadpin/loadpin.c,
 * read_trusted_verity_root_digests; the file is named with LOADPIN_IOC_SET_TRUSTED_VERITY_DIGESTS.
 * @throws {VerityError} 'options_invalid' for none, or more than the kernel reads: it would take no other file after that.
 */
export function formatLoadPinDigests(rootHashes: readonly Uint8Array[]): string {
  const text = `# LOADPIN_TRUSTED_VERITY_ROOT_DIGESTS\n${rootHashes.map((hash) => `${toHex(hash)}\n`).join('')}`;
  if (rootHashes.length === 0 || text.length > MAX_LOADPIN_FILE_BYTES) {
    throw new VerityError(
      'options_invalid',
      `LoadPin reads a file of at most ${MAX_LOADPIN_FILE_BYTES} octets with at least one root hash, these ${rootHashes.length} take ${text.length}`,
    );
  }
  return text;
}

/** SZ_4K - 1. Linux, security/loadpin/loadpin.c, read_trusted_verity_root_digests. */
const MAX_LOADPIN_FILE_BYTES = 4095;

function requireFields(forbidden: RegExp, where: string, ...texts: readonly string[]): void {
  const bad = texts.find((text) => text === '' || forbidden.test(text));
  if (bad !== undefined) throw new VerityError('options_invalid', `${JSON.stringify(bad)} cannot stand in ${where}`);
}
