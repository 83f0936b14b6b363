// SPDX-License-Identifier: Apache-2.0
import { parseDefinitionSize } from '@vouchsafe/disk';
import type { RecipeNode } from './recipe-node.ts';

/** How the disk is divided. */
export interface LayoutInput {
  /** What is under dm-verity: the whole root, or a hermetic /usr, of which the rest is made at each boot. */
  readonly verity: 'root' | 'usr';
  /** Two: with an empty slot for the next version. */
  readonly slots: 1 | 2;
  /** Octets of each slot; as many as this version needs unless given. */
  readonly slotBytes: number | undefined;
  readonly espBytes: number | undefined;
}

/** More than a disk has. */
const MAX_BYTES = 2 ** 50;
/** What a LUKS2 volume and a file system in it need. */
const MIN_VAR_BYTES = 32 * 1024 * 1024;

/**
 * The recipe's `layout`.
 * @throws {ImageError} 'recipe_invalid'
 */
export function parseLayout(node: RecipeNode | undefined): LayoutInput {
  node?.allow('verity', 'slots', 'slot-size', 'esp-size');
  return {
    verity: node?.optional('verity')?.oneOf('root', 'usr') ?? 'root',
    slots: (node?.optional('slots')?.integer(1, 2) ?? 1) as 1 | 2,
    slotBytes: sizeOf(node?.optional('slot-size'), 4096),
    espBytes: sizeOf(node?.optional('esp-size'), 4096),
  };
}

/**
 * The recipe's `var`: the size of an encrypted /var.
 * @throws {ImageError} 'recipe_invalid'
 */
export function parseVar(node: RecipeNode | undefined): { readonly sizeBytes: number } | undefined {
  if (node === undefined) return undefined;
  node.allow('size');
  return { sizeBytes: sizeOf(node.member('size'), MIN_VAR_BYTES) as number };
}

function sizeOf(node: RecipeNode | undefined, minBytes: number): number | undefined {
  if (node === undefined) return undefined;
  try {
    const bytes = parseDefinitionSize(node.text());
    if (bytes >= minBytes && bytes <= MAX_BYTES && bytes % 4096 === 0) return bytes;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return node.refuse(`expected a size such as 512M or 2G, a multiple of 4096, at least ${minBytes}`);
}
