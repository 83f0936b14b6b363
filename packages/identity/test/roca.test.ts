// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRocaModulus, manufacturerOf, parseManufacturer } from '@vouchsafe/identity';

const PRIMES = Array.from({ length: 166 }, (_, i) => i + 2).filter((n) =>
  Array.from({ length: n - 2 }, (_, i) => i + 2).every((divisor) => n % divisor !== 0),
);
/** The product of the first 39 primes, as the generator uses it for 512-bit keys. */
const M = PRIMES.reduce((product, prime) => product * BigInt(prime), 1n);

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (let square = base % modulus, left = exponent; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

test('A33: a modulus of the weak generator is known by its shape', () => {
  assert.equal(PRIMES.length, 39);
  const factor = (k: bigint, a: bigint): bigint => k * M + power(65_537n, a, M);
  for (const [k, a, l, b] of [
    [0x1234n, 5n, 0xabcdn, 77n],
    [1n << 30n, 12_345n, (1n << 31n) + 1n, 999n],
  ] as const) {
    const weak = factor(k, a) * factor(l, b);
    assert.ok(isRocaModulus(weak));
    assert.ok(!isRocaModulus(weak + 2n));
  }
});

test('moduli of other generators are not', () => {
  // RSA-129 and RSA-640 of the factoring challenge, made long before.
  const rsa129 =
    114381625757888867669235779976146612010218296721242362562561842935706935245733897830597123563958705058989075147599290026879543541n;
  assert.ok(!isRocaModulus(rsa129));
  assert.ok(!isRocaModulus(0n));
  assert.ok(isRocaModulus(1n), 'one is a power of everything');
});

test('vendor identifiers are read as the registry writes them', () => {
  assert.deepEqual(parseManufacturer('id:494E5443'), { id: 0x494e5443, vendorId: 'INTC', name: 'Intel' });
  assert.deepEqual(parseManufacturer('id:414d4400'), { id: 0x414d4400, vendorId: 'AMD', name: 'AMD' });
  assert.deepEqual(manufacturerOf(0x00001014), { id: 0x1014, vendorId: '0x00001014', name: undefined });
  for (const text of ['', 'id:', 'INTC', 'id:494E544', 'id:494E54433', 'id:494E544G', ' id:494E5443'])
    assert.equal(parseManufacturer(text), undefined, text);
});
