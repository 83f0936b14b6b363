// SPDX-License-Identifier: Apache-2.0
// The kernel command lines of container runtimes that boot their guests from a verity root.
import { toHex } from '@vouchsafe/base';
import type { TreeDescription } from './description.ts';

/**
 * The command line of confidential containers' measured root file system, which kata-containers read until its pull
 * request 12396 (2026-01). The salt and the sizes come from the superblock.
 */
export function formatCcRootfsVerity({ rootHash }: TreeDescription): string {
  return `cc_rootfs_verity.scheme=dm-verity cc_rootfs_verity.hash=${toHex(rootHash)}`;
}

/** Why such a guest cannot boot this tree; undefined when it can. Its initrd calls `veritysetup open` without options. */
export function ccObstacle(d: TreeDescription): string | undefined {
  if (!d.place.hasSuperblock || d.place.offset !== 0) {
    return 'cc_rootfs_verity expects a superblock at the start of the hash device';
  }
  return hasFurther(d) ? `cc_rootfs_verity ${SAYS_NO_MORE}` : undefined;
}

/**
 * kata-containers' `kernel_verity_params` (since pull request 12396, 2026-01), which its shim turns into a
 * `dm-mod.create=` line. src/runtime-rs, kernel_param.rs. That line has more in it than can be said here: hash type 1,
 * sha256, and a tree that begins its device, without a superblock; see `kataObstacle`.
 */
export function formatKataParameters({ parameters: p, rootHash }: TreeDescription): string {
  return [
    `root_hash=${toHex(rootHash)}`,
    `salt=${toHex(p.salt)}`,
    `data_blocks=${p.dataBlocks}`,
    `data_block_size=${p.dataBlockSize}`,
    `hash_block_size=${p.hashBlockSize}`,
  ].join(',');
}

/** Why kata-containers cannot boot this tree, whatever it is told; undefined when it can. */
export function kataObstacle(d: TreeDescription): string | undefined {
  const { parameters: p, place } = d;
  if (place.hasSuperblock) return 'kata-containers takes trees without a superblock only; format with --no-superblock';
  if (place.offset !== 0) return `kata-containers expects the tree at the start of its device, not at ${place.offset}`;
  if (p.algorithm !== 'sha256') return `kata-containers knows sha256 only, not ${p.algorithm}`;
  if (p.hashType !== 1) return `kata-containers knows hash type 1 only, not ${p.hashType}`;
  if (p.salt.length === 0) return 'kata-containers needs a salt';
  return hasFurther(d) ? `kata-containers ${SAYS_NO_MORE}` : undefined;
}

const SAYS_NO_MORE = 'can be told nothing of parity, signatures, or what to do about damage';

const hasFurther = (d: TreeDescription): boolean =>
  [d.parity, d.onCorruption, d.signatureKey].some((one) => one !== undefined) || d.ignoresZeroBlocks === true;
