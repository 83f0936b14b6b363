// SPDX-License-Identifier: Apache-2.0
import { AuditError } from '../error.ts';
import { emptyRoot, HASH_BYTES, hashLeaf, hashNode } from './hash.ts';

/**
 * A tree by its size and the roots of its complete subtrees, the largest first: one for each bit that is set in the size.
 * That is all that is needed to go on with it, and to name its root.
 */
export interface Frontier {
  readonly size: number;
  readonly nodes: readonly Uint8Array[];
}

/** A complete subtree that a new leaf has finished: of 2^level leaves, the index-th of that size, from 0. */
export interface FinishedSubtree {
  readonly level: number;
  readonly index: number;
  readonly hash: Uint8Array;
}

/** A tree that leaves are appended to. */
export class GrowingTree {
  #size: number;
  readonly #nodes: Uint8Array[];

  /** @throws {AuditError} 'audit_argument' when there is not one hash for each bit of the size. */
  constructor(from: Frontier = { size: 0, nodes: [] }) {
    requireFrontier(from);
    this.#size = from.size;
    this.#nodes = [...from.nodes];
  }

  get size(): number {
    return this.#size;
  }

  get frontier(): Frontier {
    return { size: this.#size, nodes: [...this.#nodes] };
  }

  /**
   * Appends a leaf.
   * @returns each subtree that it finished, the smallest first: the leaf itself is one of level 0
   */
  append(leaf: Uint8Array): FinishedSubtree[] {
    let subtree: FinishedSubtree = { level: 0, index: this.#size, hash: hashLeaf(leaf) };
    const finished = [subtree];
    while (subtree.index % 2 === 1) {
      const left = this.#nodes.pop() as Uint8Array;
      subtree = { level: subtree.level + 1, index: (subtree.index - 1) / 2, hash: hashNode(left, subtree.hash) };
      finished.push(subtree);
    }
    this.#nodes.push(subtree.hash);
    this.#size++;
    return finished;
  }

  /** The Merkle tree hash. RFC 6962, 2.1. */
  root(): Uint8Array {
    return rootOf(this.#nodes);
  }
}

/** The root of a tree by its complete subtrees, the largest first. */
export function rootOf(nodes: readonly Uint8Array[]): Uint8Array {
  const [last, ...before] = nodes.toReversed();
  return last === undefined ? emptyRoot() : before.reduce((right, left) => hashNode(left, right), last);
}

function requireFrontier({ size, nodes }: Frontier): void {
  if (!Number.isSafeInteger(size) || size < 0) throw new AuditError('audit_argument', `expected a size, found ${size}`);
  const bits = size.toString(2).replaceAll('0', '').length; // how many are 1
  if (nodes.length !== bits || nodes.some((node) => node.length !== HASH_BYTES)) {
    const message = `expected ${bits} hashes of ${HASH_BYTES} octets for a tree of ${size} leaves, found ${nodes.length}`;
    throw new AuditError('audit_argument', message);
  }
}
