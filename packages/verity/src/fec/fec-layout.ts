// SPDX-License-Identifier: Apache-2.0
/**
 * Where dm-verity's error correction finds the bytes of a codeword.
 *
 * What is protected is one run of blocks, the *input*: first the data blocks, then the hash area. It is cut into
 * 255 - roots columns of `rounds` blocks each, in order; what the last columns lack counts as zeros. Codeword k is made
 * of byte k of each column and `roots` parity bytes, so that one lost block costs each codeword through it one byte.
 * The parity area holds the parity bytes of codeword 0, of codeword 1, and so on, with nothing between or after them.
 * Round r is the blocks numbered r in their columns, and the `blockSize` codewords through them.
 *
 * From cryptsetup 2.6.1 lib/verity/verity_fec.c (the same in its master of June 2026), FEC_interleave,
 * FEC_process_inputs and VERITY_FEC_blocks; Linux drivers/md/dm-verity-fec.c, fec_read_bufs, agrees. Each was seen in
 * the output of veritysetup 2.6.1:
 * - roots are 2 to 24, and data and hash blocks have the same size (VERITY_FEC_validate);
 * - the hash area starts with the tree, not with the superblock: no superblock is protected, nor the block around it;
 * - it does not end with the tree but with the hash device, so that anything behind the tree is protected too; where
 *   the parity is on the hash device, it ends where the parity starts; whether the data is there changes nothing;
 * - a last part of a block is left out;
 * - a hash area of no blocks is allowed: the tree of a single data block is empty.
 */
import { VerityError } from '../error.ts';
import { CODEWORD_SIZE } from './reed-solomon.ts';

const MIN_ROOTS = 2;
const MAX_ROOTS = 24;
/** cryptsetup lib/verity/verity.h, VERITY_BLOCK_SIZE_OK: a power of two from 512 octets to 512 KiB. */
const MIN_BLOCK_SIZE = 512;
const MAX_BLOCK_SIZE = 512 * 1024;

/** What decides the layout. */
export interface FecParameters {
  /** Octets of a block, of data and tree alike. */
  readonly blockSize: number;
  /** Parity bytes of each codeword, 2 to 24; veritysetup's default is 2. */
  readonly roots: number;
  /** At least 1. */
  readonly dataBlocks: number;
  /** Blocks of the hash area, see fecHashBlocks; may be 0. */
  readonly hashBlocks: number;
}

/** The layout; blocks are numbered through the input, from 0: a hash block's number is dataBlocks more than its own. */
export interface FecGeometry extends FecParameters {
  /** Input bytes of a codeword: 255 - roots. */
  readonly columns: number;
  /** Blocks of a column. */
  readonly rounds: number;
  /** Codewords, and octets of a column: rounds * blockSize. */
  readonly codewords: number;
  readonly inputBlocks: number;
  readonly inputSizeBytes: number;
  readonly paritySizeBytes: number;
}

/** Where a block lies. */
export interface FecPlace {
  /** Also its byte's position in each codeword through it. */
  readonly column: number;
  readonly round: number;
}

function requireBlockSize(blockSize: number): void {
  const isPower = Number.isInteger(Math.log2(blockSize));
  if (!isPower || blockSize < MIN_BLOCK_SIZE || blockSize > MAX_BLOCK_SIZE) {
    throw new VerityError(
      'fec_geometry',
      `expected a block size of ${MIN_BLOCK_SIZE} to ${MAX_BLOCK_SIZE} octets, a power of two, got ${blockSize}`,
    );
  }
}

function requireCount(what: string, count: number, least: number): void {
  if (!Number.isSafeInteger(count) || count < least) {
    throw new VerityError('fec_geometry', `expected a whole number of ${what}, at least ${least}, got ${count}`);
  }
}

/**
 * Computes the layout.
 * @throws {VerityError} 'fec_roots', 'fec_geometry' when there is none, or one beyond 2^53 octets.
 */
export function fecGeometry(parameters: FecParameters): FecGeometry {
  const { blockSize, roots, dataBlocks, hashBlocks } = parameters;
  if (!Number.isInteger(roots) || roots < MIN_ROOTS || roots > MAX_ROOTS) {
    throw new VerityError('fec_roots', `expected ${MIN_ROOTS} to ${MAX_ROOTS} parity bytes per codeword, got ${roots}`);
  }
  requireBlockSize(blockSize);
  requireCount('data blocks', dataBlocks, 1);
  requireCount('hash blocks', hashBlocks, 0);
  const columns = CODEWORD_SIZE - roots;
  const inputBlocks = dataBlocks + hashBlocks;
  const rounds = Math.ceil(inputBlocks / columns);
  const codewords = rounds * blockSize;
  // The largest number that any offset below can reach: all columns filled, and the parity.
  if (!Number.isSafeInteger(codewords * CODEWORD_SIZE)) {
    throw new VerityError('fec_geometry', `expected less than 2^53 octets, got ${inputBlocks} blocks of ${blockSize}`);
  }
  return {
    blockSize,
    roots,
    dataBlocks,
    hashBlocks,
    columns,
    rounds,
    codewords,
    inputBlocks,
    inputSizeBytes: inputBlocks * blockSize,
    paritySizeBytes: codewords * roots,
  };
}

/** What decides how much of a hash device is protected. All in octets. */
export interface HashAreaParameters {
  readonly blockSize: number;
  /** Where the tree starts, behind the superblock when there is one; a multiple of the block size. */
  readonly treeOffsetBytes: number;
  /** The whole file or partition that holds the tree. */
  readonly hashDeviceSizeBytes: number;
  /** Where the parity starts, only if it is on the hash device. */
  readonly fecOffsetBytes?: number | undefined;
}

/**
 * Blocks of the hash area: from the tree to the end of the hash device, or to the parity on the same device.
 * cryptsetup lib/verity/verity_fec.c, VERITY_FEC_blocks, with VERITY_hash_offset_block of verity.c.
 * @throws {VerityError} 'fec_geometry' when the area would end before the tree starts, or the tree is not on a block
 * boundary (veritysetup's unsigned subtraction wraps in the first case).
 */
export function fecHashBlocks(parameters: HashAreaParameters): number {
  const { blockSize, treeOffsetBytes, hashDeviceSizeBytes, fecOffsetBytes } = parameters;
  requireBlockSize(blockSize);
  const endBytes = fecOffsetBytes ?? hashDeviceSizeBytes;
  requireCount('octets before the end of the hash area', endBytes, 0);
  requireCount('octets before the tree', treeOffsetBytes, 0);
  const endBlock = Math.floor(endBytes / blockSize);
  const treeBlock = treeOffsetBytes / blockSize;
  // A hash device that nothing was written to yet: one data block has no tree, and the superblock comes last.
  if (endBlock === 0) return 0;
  if (!Number.isInteger(treeBlock) || treeBlock > endBlock) {
    throw new VerityError(
      'fec_geometry',
      `expected the tree on a block boundary before the hash area's end at ${endBytes}, got ${treeOffsetBytes}`,
    );
  }
  return endBlock - treeBlock;
}

/**
 * Where a block of the input lies.
 * @throws {VerityError} 'fec_geometry' when there is no such block.
 */
export function fecPlace(geometry: FecGeometry, block: number): FecPlace {
  if (!Number.isSafeInteger(block) || block < 0 || block >= geometry.inputBlocks) {
    throw new VerityError('fec_geometry', `expected a block from 0 to ${geometry.inputBlocks - 1}, got ${block}`);
  }
  return { column: Math.floor(block / geometry.rounds), round: block % geometry.rounds };
}

/** Columns that have a block in this round; the columns behind them hold zeros there, and cannot be damaged. */
export function columnsInRound(geometry: FecGeometry, round: number): number {
  return Math.ceil((geometry.inputBlocks - round) / geometry.rounds);
}
