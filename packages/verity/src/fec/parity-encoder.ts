// SPDX-License-Identifier: Apache-2.0
import { multiply, POWERS } from './galois-field.ts';
import { CODEWORD_SIZE } from './reed-solomon.ts';

/** Input bytes of a codeword that one step takes: as many as a word of the register holds. */
const STEP = 4;

/**
 * The coefficients of (x - alpha^0)(x - alpha^1)…(x - alpha^(roots-1)) after the leading 1, highest power first.
 * First root 0, primitive element 1: cryptsetup lib/verity/verity_fec.c, FEC_PARAMS.
 */
function generatorTail(roots: number): Uint8Array {
  const generator = new Uint8Array(roots + 1);
  generator[0] = 1;
  for (let degree = 0; degree < roots; degree++) {
    for (let i = degree + 1; i > 0; i--) generator[i]! ^= multiply(generator[i - 1]!, POWERS[degree]!);
  }
  return generator.subarray(1);
}

/**
 * For each word of the register, 4 tables of 256: what the byte b, fed back j bytes before the end of a step, adds to
 * that word is at [256 * j + b]. The code is linear, so a step of four bytes is the exclusive or of four such entries.
 */
function stepTables(roots: number): Int32Array[] {
  const tail = generatorTail(roots);
  const tables = Array.from({ length: Math.ceil(roots / STEP) }, () => new Int32Array(STEP * 256));
  const register = new Uint8Array(roots);
  for (let byte = 0; byte < 256; byte++) {
    register.fill(0);
    for (let later = 0; later < STEP; later++) {
      const feedback = later === 0 ? byte : register[0]!;
      register.copyWithin(0, 1);
      register[roots - 1] = 0;
      for (let i = 0; i < roots; i++) register[i]! ^= multiply(feedback, tail[i]!);
      for (const [word, table] of tables.entries()) {
        for (let i = 0; i < STEP; i++) table[256 * later + byte]! |= (register[STEP * word + i] ?? 0) << (24 - 8 * i);
      }
    }
  }
  return tables;
}

const tablesByRoots = new Map<number, readonly Int32Array[]>();

function tablesFor(roots: number): readonly Int32Array[] {
  const known = tablesByRoots.get(roots);
  if (known !== undefined) return known;
  const tables = stepTables(roots);
  tablesByRoots.set(roots, tables);
  return tables;
}

/** `to` becomes what the feedback adds to a word of the register: the last word, into which nothing is shifted. */
function lookUp(to: Int32Array, feedback: Int32Array, table: Int32Array, length: number): void {
  for (let i = 0; i < length; i++) {
    const word = feedback[i]!;
    to[i] =
      table[768 + (word >>> 24)]! ^
      table[512 + ((word >>> 16) & 0xff)]! ^
      table[256 + ((word >>> 8) & 0xff)]! ^
      table[word & 0xff]!;
  }
}

/** `to` becomes the next word of the register, shifted into its place, with what the feedback adds. */
function shiftIn(to: Int32Array, next: Int32Array, feedback: Int32Array, table: Int32Array, length: number): void {
  for (let i = 0; i < length; i++) {
    const word = feedback[i]!;
    to[i] =
      next[i]! ^
      table[768 + (word >>> 24)]! ^
      table[512 + ((word >>> 16) & 0xff)]! ^
      table[256 + ((word >>> 8) & 0xff)]! ^
      table[word & 0xff]!;
  }
}

/** Fills `target` with one byte of each codeword: the bytes at position `column`, from 0, of its input. */
export type ReadColumn = (column: number, target: Uint8Array) => void;

/**
 * Systematic Reed-Solomon parity of many codewords side by side. The n-th bytes of neighbouring codewords are
 * neighbours in the image (see fec-layout.ts), so the input comes in columns: byte i of a column belongs to codeword i.
 *
 * Each codeword has a shift register of `roots` bytes, the remainder of what came so far divided by the generator
 * polynomial. It is kept in words of four bytes, first parity byte in the highest bits, and all codewords' first words
 * lie together, then all second words: each pass below is one loop over plain arrays with a table that fits the first
 * level cache, and takes four input bytes of every codeword. Signed words: V8 keeps them unboxed, and only bits matter.
 */
export class ParityEncoder {
  readonly #roots: number;
  readonly #tables: readonly Int32Array[];
  readonly #register: readonly Int32Array[];
  readonly #feedback: Int32Array;
  readonly #columns: readonly Uint8Array[];

  /** `roots` parity bytes per codeword, at most `maxLength` codewords at a time. The caller has checked both. */
  constructor(roots: number, maxLength: number) {
    this.#roots = roots;
    this.#tables = tablesFor(roots);
    this.#register = this.#tables.map(() => new Int32Array(maxLength));
    this.#feedback = new Int32Array(maxLength);
    this.#columns = Array.from({ length: STEP }, () => new Uint8Array(maxLength));
  }

  /**
   * Reads all columns of `length` codewords, in order, and writes their parity to `parity`: the `roots` bytes of the
   * first codeword, then of the second, and so on. What `read` throws passes through.
   */
  encode(length: number, read: ReadColumn, parity: Uint8Array): void {
    for (const word of this.#register) word.fill(0, 0, length);
    const columns = CODEWORD_SIZE - this.#roots;
    const targets = this.#columns.map((column) => column.subarray(0, length));
    // Zero bytes before the first byte of a codeword change nothing: they fill up the first step.
    for (let first = -((STEP - (columns % STEP)) % STEP); first < columns; first += STEP) {
      for (const [i, target] of targets.entries()) {
        if (first + i < 0) target.fill(0);
        else read(first + i, target);
      }
      this.#absorb(length, targets[0]!, targets[1]!, targets[2]!, targets[3]!);
    }
    this.#emit(length, parity);
  }

  #absorb(length: number, first: Uint8Array, second: Uint8Array, third: Uint8Array, fourth: Uint8Array): void {
    const feedback = this.#feedback;
    const head = this.#register[0]!;
    for (let i = 0; i < length; i++) {
      feedback[i] = head[i]! ^ ((first[i]! << 24) | (second[i]! << 16) | (third[i]! << 8) | fourth[i]!);
    }
    const last = this.#register.length - 1;
    for (let word = 0; word < last; word++) {
      shiftIn(this.#register[word]!, this.#register[word + 1]!, feedback, this.#tables[word]!, length);
    }
    lookUp(this.#register[last]!, feedback, this.#tables[last]!, length);
  }

  #emit(length: number, parity: Uint8Array): void {
    const roots = this.#roots;
    for (let root = 0; root < roots; root++) {
      const word = this.#register[Math.floor(root / STEP)]!;
      const shift = 24 - 8 * (root % STEP);
      for (let i = 0, at = root; i < length; i++, at += roots) parity[at] = word[i]! >>> shift;
    }
  }
}
