// SPDX-License-Identifier: Apache-2.0
import { concatBytes } from '@vouchsafe/base';
import { digest } from '@vouchsafe/crypto';

/** Octets of every hash in a tree: SHA-256. */
export const HASH_BYTES = 32;

/** RFC 6962, 2.1: leaves and nodes are hashed apart, so that a node can never be shown as a leaf. */
const LEAF_PREFIX = Uint8Array.of(0x00);
const NODE_PREFIX = Uint8Array.of(0x01);

/** The hash of a leaf's octets. RFC 6962, 2.1. */
export function hashLeaf(leaf: Uint8Array): Uint8Array {
  return digest('sha256', concatBytes(LEAF_PREFIX, leaf));
}

/** The hash of the node above two others. RFC 6962, 2.1. */
export function hashNode(left: Uint8Array, right: Uint8Array): Uint8Array {
  return digest('sha256', concatBytes(NODE_PREFIX, left, right));
}

/** The root of the tree without leaves. RFC 6962, 2.1. */
export function emptyRoot(): Uint8Array {
  return digest('sha256', new Uint8Array());
}
