// SPDX-License-Identifier: Apache-2.0
import { BytesError } from '@vouchsafe/bytes';
import { columnReader, type FecArea, type FecInput } from './fec-input.ts';
import { columnsInRound, type FecGeometry } from './fec-layout.ts';
import { ParityEncoder, type ReadColumn } from './parity-encoder.ts';
import { type ErrorPattern, findErrors, syndromesOf } from './reed-solomon.ts';

/** Codewords at a time, so that blocks of 512 KiB need no more memory than small ones. */
const RUN = 4096;

/** What correction reads. */
export interface FecSources extends FecInput {
  /** The parity area. */
  readonly parity: FecArea;
}

/** What is known of one round, and what is wanted. Columns name its blocks. */
interface RoundRequest {
  readonly round: number;
  readonly wanted: Iterable<number>;
  readonly erasures: Iterable<number>;
  /** True for a column whose block is known to be right. */
  readonly isGood: (column: number) => boolean;
}

interface RoundResult {
  /** The wanted columns' blocks. */
  readonly drafts: ReadonlyMap<number, Draft>;
  /** Codewords with more damage than the parity covers. */
  readonly uncorrectable: number;
}

/** A wanted block as it was read and, when all runs are done, corrected. */
interface Draft {
  readonly bytes: Uint8Array;
  changedBytes: number;
}

/** Reads, and tells whether the host could: a disk that gives up on a sector is a reason to repair, not to stop. */
function tryRead(read: () => void): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (error instanceof BytesError && error.code === 'io') return false;
    throw error;
  }
}

/** Corrects the codewords of a round at a time, with buffers that serve for all rounds. */
export class RoundCorrector {
  readonly #geometry: FecGeometry;
  readonly #sources: FecSources;
  readonly #encoder: ParityEncoder;
  readonly #recomputed: Uint8Array;
  readonly #stored: Uint8Array;
  readonly #remainder: Uint8Array;
  readonly #syndromes: Uint8Array;

  constructor(geometry: FecGeometry, sources: FecSources) {
    const { roots, blockSize } = geometry;
    const run = Math.min(RUN, blockSize);
    this.#geometry = geometry;
    this.#sources = sources;
    this.#encoder = new ParityEncoder(roots, run);
    this.#recomputed = new Uint8Array(run * roots);
    this.#stored = new Uint8Array(run * roots);
    this.#remainder = new Uint8Array(roots);
    this.#syndromes = new Uint8Array(roots);
  }

  /** @throws {BytesError} from the sources, other than 'io'. */
  correct(request: RoundRequest): RoundResult {
    const { blockSize } = this.#geometry;
    const drafts = new Map<number, Draft>();
    for (const column of request.wanted) drafts.set(column, { bytes: new Uint8Array(blockSize), changedBytes: 0 });
    let uncorrectable = 0;
    for (let start = 0; start < blockSize; start += RUN) {
      uncorrectable += this.#correctRun(request, start, Math.min(RUN, blockSize - start), drafts);
    }
    return { drafts, uncorrectable };
  }

  /** The codewords through bytes `start` to `start + length` of the round's blocks; how many were uncorrectable. */
  #correctRun(request: RoundRequest, start: number, length: number, drafts: ReadonlyMap<number, Draft>): number {
    const { roots, blockSize } = this.#geometry;
    const { source, offsetBytes } = this.#sources.parity;
    const codeword = request.round * blockSize + start;
    const unreadable = new Set<number>();
    const read = columnReader(this.#geometry, this.#sources, codeword);
    const readOrZero: ReadColumn = (column, target) => {
      if (!tryRead(() => read(column, target))) {
        target.fill(0);
        unreadable.add(column);
      }
      drafts.get(column)?.bytes.set(target, start);
    };
    this.#encoder.encode(length, readOrZero, this.#recomputed);
    const stored = this.#stored.subarray(0, length * roots);
    if (!tryRead(() => source.read(offsetBytes + codeword * roots, stored))) return length;

    const erasures = [...new Set([...request.erasures, ...unreadable])];
    let uncorrectable = 0;
    for (let i = 0; i < length; i++) {
      if (!this.#isDamaged(i)) continue;
      const pattern = this.#explain(request, erasures) ?? this.#explain(request, [...unreadable]);
      if (pattern === undefined) uncorrectable++;
      else apply(pattern, start + i, drafts);
    }
    return uncorrectable;
  }

  /** Sets the syndromes of codeword `i` of the run; false when all are zero. */
  #isDamaged(i: number): boolean {
    const { roots } = this.#geometry;
    let differs = 0;
    for (let root = 0, at = i * roots; root < roots; root++, at++) {
      const difference = this.#stored[at]! ^ this.#recomputed[at]!;
      this.#remainder[root] = difference;
      differs |= difference;
    }
    return differs !== 0 && syndromesOf(this.#remainder, this.#syndromes);
  }

  /**
   * The damage behind the syndromes; undefined when it is beyond the code. Damage to a block that is known to be good,
   * or behind the end of the input where all is zero by definition, is no explanation: with more damage than the bound
   * the decoder often finds another codeword than the one written (with two roots nearly always), and this is how it
   * shows.
   */
  #explain(request: RoundRequest, erasures: readonly number[]): ErrorPattern | undefined {
    const pattern = findErrors(this.#syndromes, erasures);
    const { columns } = this.#geometry;
    const filled = columnsInRound(this.#geometry, request.round);
    const refuted = pattern?.positions.some(
      (position) => position < columns && (position >= filled || request.isGood(position)),
    );
    return refuted ? undefined : pattern;
  }
}

function apply(pattern: ErrorPattern, offset: number, drafts: ReadonlyMap<number, Draft>): void {
  for (const [i, position] of pattern.positions.entries()) {
    const draft = drafts.get(position);
    if (draft === undefined) continue;
    draft.bytes[offset]! ^= pattern.values[i]!;
    draft.changedBytes++;
  }
}
