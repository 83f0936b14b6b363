// SPDX-License-Identifier: Apache-2.0
// Internal: the code itself is not part of the package's interface.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { evaluate, LOGARITHMS, multiply, POWERS } from '../src/fec/galois-field.ts';
import { ParityEncoder } from '../src/fec/parity-encoder.ts';
import { CODEWORD_SIZE, findErrors, syndromesOf } from '../src/fec/reed-solomon.ts';

const anyRoots = fc.integer({ min: 2, max: 24 });

/** Parity of one word, by the encoder. */
function parityOf(data: Uint8Array): Uint8Array {
  const roots = CODEWORD_SIZE - data.length;
  const parity = new Uint8Array(roots);
  new ParityEncoder(roots, 1).encode(1, (column, target) => target.set([data[column]!]), parity);
  return parity;
}

function codeword(data: Uint8Array): Uint8Array {
  const word = new Uint8Array(CODEWORD_SIZE);
  word.set(data);
  word.set(parityOf(data), data.length);
  return word;
}

/** Syndromes by the definition: the word's values at alpha^0, alpha^1… */
function syndromesByDefinition(word: Uint8Array, roots: number): Uint8Array {
  const lowestFirst = word.toReversed();
  return Uint8Array.from({ length: roots }, (_, root) => evaluate(lowestFirst, lowestFirst.length, POWERS[root]!));
}

function correct(word: Uint8Array, roots: number, erasures: readonly number[]): Uint8Array | undefined {
  const pattern = findErrors(syndromesByDefinition(word, roots), erasures);
  if (pattern === undefined) return undefined;
  const corrected = word.slice();
  for (const [i, position] of pattern.positions.entries()) corrected[position]! ^= pattern.values[i]!;
  return corrected;
}

/** A codeword, and damage at distinct positions. */
function damaged(limits: (roots: number) => { min: number; max: number }) {
  return anyRoots.chain((roots) =>
    fc.record({
      roots: fc.constant(roots),
      data: fc.uint8Array({ minLength: CODEWORD_SIZE - roots, maxLength: CODEWORD_SIZE - roots }),
      damage: fc.uniqueArray(
        fc.record({ position: fc.nat({ max: CODEWORD_SIZE - 1 }), value: fc.integer({ min: 1, max: 255 }) }),
        { minLength: limits(roots).min, maxLength: limits(roots).max, selector: ({ position }) => position },
      ),
    }),
  );
}

function spoil(word: Uint8Array, damage: readonly { position: number; value: number }[]): Uint8Array {
  const spoilt = word.slice();
  for (const { position, value } of damage) spoilt[position]! ^= value;
  return spoilt;
}

test('the field multiplies as polynomials modulo 0x11d do', () => {
  for (let a = 0; a < 256; a++) {
    for (let b = 0; b < 256; b++) {
      let product = 0;
      for (let bit = 7; bit >= 0; bit--) {
        product = (product << 1) ^ (product & 0x80 ? 0x11d : 0) ^ ((b >> bit) & 1 ? a : 0);
      }
      if (multiply(a, b) !== product) assert.fail(`${a} * ${b}: expected ${product}, got ${multiply(a, b)}`);
    }
  }
  assert.equal(new Set(POWERS.subarray(0, 255)).size, 255);
  for (let a = 1; a < 256; a++) assert.equal(POWERS[LOGARITHMS[a]!], a);
});

test('data with its parity has no syndromes, for each number of roots', () => {
  for (let roots = 2; roots <= 24; roots++) {
    const data = Uint8Array.from({ length: CODEWORD_SIZE - roots }, (_, i) => (i * i + 7 * roots) & 0xff);
    assert.deepEqual(syndromesByDefinition(codeword(data), roots), new Uint8Array(roots), `${roots} roots`);
  }
});

test('codewords side by side do not touch one another', () => {
  fc.assert(
    fc.property(anyRoots, fc.uint8Array({ minLength: 3 * 253, maxLength: 3 * 253 }), (roots, bytes) => {
      const columns = CODEWORD_SIZE - roots;
      const words = [0, 1, 2].map((k) => bytes.subarray(k * 253, k * 253 + columns));
      const together = new Uint8Array(3 * roots);
      const encoder = new ParityEncoder(roots, 5);
      encoder.encode(5, (_, target) => target.fill(0xff), new Uint8Array(5 * roots));
      encoder.encode(3, (column, target) => target.set(words.map((word) => word[column]!)), together);
      for (const [k, word] of words.entries()) {
        assert.deepEqual(together.subarray(k * roots, (k + 1) * roots), parityOf(word));
      }
    }),
    { numRuns: 30 },
  );
});

test('syndromes of the remainder are those of the word', () => {
  fc.assert(
    fc.property(
      damaged(() => ({ min: 0, max: 20 })),
      ({ roots, data, damage }) => {
        const word = spoil(codeword(data), damage);
        const recomputed = parityOf(word.subarray(0, CODEWORD_SIZE - roots));
        const remainder = recomputed.map((byte, i) => byte ^ word[CODEWORD_SIZE - roots + i]!);
        const syndromes = new Uint8Array(roots);
        const any = syndromesOf(remainder, syndromes);
        assert.deepEqual(syndromes, syndromesByDefinition(word, roots));
        assert.equal(
          any,
          syndromes.some((value) => value !== 0),
        );
      },
    ),
  );
});

test('half the roots in unknown bytes are corrected', () => {
  fc.assert(
    fc.property(
      damaged((roots) => ({ min: 0, max: Math.floor(roots / 2) })),
      ({ roots, data, damage }) => {
        const word = codeword(data);
        assert.deepEqual(correct(spoil(word, damage), roots, []), word);
      },
    ),
    { numRuns: 300 },
  );
});

test('as many named bytes as roots are corrected, whether or not they are all bad', () => {
  fc.assert(
    fc.property(
      damaged((roots) => ({ min: roots, max: roots })),
      fc.nat({ max: 24 }),
      ({ roots, data, damage }, bad) => {
        const word = codeword(data);
        const named = damage.map(({ position }) => position);
        assert.deepEqual(correct(spoil(word, damage.slice(0, bad)), roots, named), word);
      },
    ),
    { numRuns: 300 },
  );
});

test('named and unknown bytes together are corrected while 2e + f <= roots', () => {
  fc.assert(
    fc.property(
      damaged((roots) => ({ min: Math.ceil(roots / 2), max: roots })),
      ({ roots, data, damage }) => {
        const word = codeword(data);
        // With n bad bytes, the fewest that must be named: 2 (n - f) + f <= roots.
        const named = damage.slice(0, Math.max(0, 2 * damage.length - roots)).map(({ position }) => position);
        assert.deepEqual(correct(spoil(word, damage), roots, named), word);
      },
    ),
    { numRuns: 300 },
  );
});

test('beyond the bound the result is a codeword close by, or none', () => {
  let refused = 0;
  fc.assert(
    fc.property(
      damaged((roots) => ({ min: Math.floor(roots / 2) + 1, max: 60 })),
      fc.nat({ max: 26 }),
      ({ roots, data, damage }, count) => {
        const received = spoil(codeword(data), damage);
        const named = damage.slice(0, count).map(({ position }) => position);
        const pattern = findErrors(syndromesByDefinition(received, roots), named);
        if (pattern === undefined) {
          refused++;
          return;
        }
        const result = spoil(
          received,
          pattern.positions.map((position, i) => ({ position, value: pattern.values[i]! })),
        );
        assert.deepEqual(syndromesByDefinition(result, roots), new Uint8Array(roots));
        const unnamed = pattern.positions.filter((position) => !named.includes(position)).length;
        assert.ok(2 * unnamed + named.length <= roots);
        assert.equal(new Set(pattern.positions).size, pattern.positions.length);
      },
    ),
    { numRuns: 500 },
  );
  assert.ok(refused > 0);
});

test('more named bytes than roots are refused', () => {
  for (const roots of [2, 24]) {
    const syndromes = new Uint8Array(roots).fill(1);
    assert.equal(
      findErrors(
        syndromes,
        Array.from({ length: roots + 1 }, (_, i) => i),
      ),
      undefined,
    );
  }
});
