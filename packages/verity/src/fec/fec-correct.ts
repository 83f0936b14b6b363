// SPDX-License-Identifier: Apache-2.0
import { requireArea, requireInput } from './fec-input.ts';
import { type FecGeometry, fecPlace } from './fec-layout.ts';
import { type FecSources, RoundCorrector } from './fec-round.ts';

/** What to correct and what is known. Blocks are numbered in the input: dataBlocks is added to a hash block's own. */
export interface FecRequest {
  /** Blocks to compute; one named twice is computed once. */
  readonly wanted: Iterable<number>;
  /** Blocks known to be bad, wanted or not. */
  readonly erasures?: Iterable<number>;
  /**
   * True for a block that is known to be right, as its digest was checked. A decoding that would change it is wrong,
   * and is refused, so that it does no harm to the blocks that are wanted. Without it all blocks may be bad.
   */
  readonly isGood?: (block: number) => boolean;
}

/** What the parity makes of a block. Whether it is right, only the block's digest can tell. */
export interface FecCandidate {
  readonly block: number;
  /** The whole block, corrected where that was possible and as it was read elsewhere; unreadable bytes are zeros. */
  readonly bytes: Uint8Array;
  /** Bytes that differ from what was read; 0 when the parity agrees with the block. */
  readonly changedBytes: number;
  /**
   * Codewords through the block with more damage than the parity covers. The block's own byte in them is as it was
   * read, and may yet be right: the damage may be in the other blocks.
   */
  readonly uncorrectableBytes: number;
}

/** The wanted and the bad columns of a round. */
interface RoundColumns {
  readonly wanted: Set<number>;
  readonly erasures: Set<number>;
}

function groupByRound(geometry: FecGeometry, request: FecRequest): Map<number, RoundColumns> {
  const rounds = new Map<number, RoundColumns>();
  for (const block of request.wanted) {
    const { column, round } = fecPlace(geometry, block);
    const columns = rounds.get(round);
    if (columns === undefined) rounds.set(round, { wanted: new Set([column]), erasures: new Set() });
    else columns.wanted.add(column);
  }
  for (const block of request.erasures ?? []) {
    const { column, round } = fecPlace(geometry, block);
    rounds.get(round)?.erasures.add(column);
  }
  return rounds;
}

function* correctRounds(
  geometry: FecGeometry,
  sources: FecSources,
  rounds: Map<number, RoundColumns>,
  isGood: (block: number) => boolean,
): Generator<FecCandidate, void, undefined> {
  const corrector = new RoundCorrector(geometry, sources);
  for (const [round, { wanted, erasures }] of rounds) {
    const blockOf = (column: number) => column * geometry.rounds + round;
    const result = corrector.correct({ round, wanted, erasures, isGood: (column) => isGood(blockOf(column)) });
    for (const [column, draft] of result.drafts) {
      yield { block: blockOf(column), ...draft, uncorrectableBytes: result.uncorrectable };
    }
  }
}

/**
 * Computes what the parity says the wanted blocks hold. Each is given back once, round by round in the order in which
 * the rounds were first named; a round is read when its first block is asked for (255 - roots blocks and their parity),
 * so that the caller may stop, report or let its event loop turn in between. Nothing is written.
 *
 * With f erasures in a round, each of its codewords stands f bad bytes there and (roots - f) / 2 elsewhere, in other
 * blocks or in the parity. Where that fails, or f is more than the roots, the codeword is decoded without them, which
 * stands roots / 2 bad bytes wherever they are: a bad block is seldom bad in every byte. What the host cannot read
 * ('io') counts as an erasure.
 *
 * The caller checks each candidate against its digest. One that fails may succeed in another call: with fewer erasures
 * when some turned out to be good, or after other blocks of its round were written back.
 * @throws {VerityError} at the call: 'data_size', 'tree_short', 'fec_short' when a source ends before the layout does;
 * 'fec_geometry' for a block that the input does not have.
 * @throws {BytesError} from the sources while blocks are asked for, other than 'io'.
 */
export function correctBlocks(geometry: FecGeometry, sources: FecSources, request: FecRequest): Iterable<FecCandidate> {
  requireInput(geometry, sources);
  requireArea(sources.parity, geometry.paritySizeBytes, 'parity', 'fec_short');
  return correctRounds(geometry, sources, groupByRound(geometry, request), request.isGood ?? (() => false));
}
