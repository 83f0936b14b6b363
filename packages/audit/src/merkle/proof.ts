// SPDX-License-Identifier: Apache-2.0
import { bytesEqual } from '@vouchsafe/base';
import { AuditError } from '../error.ts';
import { rootOf } from './frontier.ts';
import { emptyRoot, HASH_BYTES, hashNode } from './hash.ts';
import { largestPowerBelow } from './root-of-hashes.ts';

/** The hash of a complete subtree: of 2^level leaves, the index-th of that size, from 0. */
export type SubtreeHashes = (level: number, index: number) => Promise<Uint8Array>;

/** Hashes of a proof at most: one for each bit of a size, and one more. */
const MAX_PROOF = 54;

/**
 * That a leaf is in a tree: the hashes beside its way up, the lowest first. RFC 6962, 2.1.1.
 * @throws {AuditError} 'audit_argument' for a leaf that is not in the tree
 */
export async function inclusionProof(subtrees: SubtreeHashes, index: number, size: number): Promise<Uint8Array[]> {
  requireSize(size);
  if (!Number.isSafeInteger(index) || index < 0 || index >= size) {
    throw new AuditError('audit_argument', `expected a leaf from 0 to ${size - 1}, found ${index}`);
  }
  const proof: Uint8Array[] = [];
  let [from, to] = [0, size];
  while (to - from > 1) {
    const middle = from + largestPowerBelow(to - from);
    if (index < middle) {
      proof.unshift(await rangeRoot(subtrees, middle, to));
      to = middle;
    } else {
      proof.unshift(await rangeRoot(subtrees, from, middle));
      from = middle;
    }
  }
  return proof;
}

/**
 * That a tree is what an older one has grown into. RFC 6962, 2.1.2. Empty when the two have one size, or the older is empty.
 * @throws {AuditError} 'audit_argument' for an older size that is larger
 */
export async function consistencyProof(
  subtrees: SubtreeHashes,
  olderSize: number,
  size: number,
): Promise<Uint8Array[]> {
  requireSize(size);
  requireSize(olderSize);
  if (olderSize > size) {
    throw new AuditError('audit_argument', `expected an older tree of at most ${size} leaves, found ${olderSize}`);
  }
  if (olderSize === 0 || olderSize === size) return [];
  const proof: Uint8Array[] = [];
  let [from, to] = [0, size];
  // SUBPROOF: down to where the older tree ends, which is at `to` in the end.
  while (olderSize !== to) {
    const middle = from + largestPowerBelow(to - from);
    if (olderSize <= middle) {
      proof.unshift(await rangeRoot(subtrees, middle, to));
      to = middle;
    } else {
      proof.unshift(await rangeRoot(subtrees, from, middle));
      from = middle;
    }
  }
  // Left out where it is the older tree whole, whose root the verifier has.
  if (from > 0) proof.unshift(await rangeRoot(subtrees, from, to));
  return proof;
}

/** Whether the proof shows that the leaf of that hash is in the tree with that root. RFC 9162, 2.1.3.2. */
export function isIncluded(
  leafHash: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (!isProof(proof) || !Number.isSafeInteger(index) || index < 0 || index >= size) return false;
  let [node, last, hash] = [index, size - 1, leafHash];
  for (const beside of proof) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      hash = hashNode(beside, hash);
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)];
    } else {
      hash = hashNode(hash, beside);
    }
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  }
  return last === 0 && bytesEqual(hash, root);
}

/** Whether the proof shows that the tree has grown out of the older one. RFC 9162, 2.1.4.2. */
export function isConsistent(
  older: { readonly size: number; readonly root: Uint8Array },
  newer: { readonly size: number; readonly root: Uint8Array },
  proof: readonly Uint8Array[],
): boolean {
  if (!isProof(proof) || older.size > newer.size || older.size < 0) return false;
  if (older.size === newer.size) return proof.length === 0 && bytesEqual(older.root, newer.root);
  if (older.size === 0) return proof.length === 0 && bytesEqual(older.root, emptyRoot());
  // A complete older tree is the first node of its own proof, and is left out.
  const path = Number.isInteger(Math.log2(older.size)) ? [older.root, ...proof] : [...proof];
  const [first, ...rest] = path;
  if (first === undefined) return false;
  let [node, last] = [older.size - 1, newer.size - 1];
  while (node % 2 === 1) [node, last] = [(node - 1) / 2, Math.floor(last / 2)];
  let [before, now] = [first, first];
  for (const beside of rest) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      before = hashNode(beside, before);
      now = hashNode(beside, now);
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)];
    } else {
      now = hashNode(now, beside);
    }
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  }
  return last === 0 && bytesEqual(before, older.root) && bytesEqual(now, newer.root);
}

/** The root of the leaves from one, where a subtree begins, up to another. */
async function rangeRoot(subtrees: SubtreeHashes, from: number, to: number): Promise<Uint8Array> {
  const nodes: Uint8Array[] = [];
  for (let at = from; at < to; ) {
    const count = largestPowerBelow(to - at + 1);
    nodes.push(await subtrees(Math.log2(count), at / count));
    at += count;
  }
  return rootOf(nodes);
}

function requireSize(size: number): void {
  if (!Number.isSafeInteger(size) || size < 0) throw new AuditError('audit_argument', `expected a size, found ${size}`);
}

const isProof = (proof: readonly Uint8Array[]): boolean =>
  proof.length <= MAX_PROOF && proof.every((hash) => hash.length === HASH_BYTES);
