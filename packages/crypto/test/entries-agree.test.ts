// SPDX-License-Identifier: Apache-2.0
/**
 * The two entries give the same verdict over whatever they are handed: what one machine grants, another must not
 * refuse.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { ed25519 } from '@noble/curves/ed25519.js';
import { concatBytes, parseHex, toHex } from '@vouchsafe/base';
import * as node from '@vouchsafe/crypto';
import * as browser from '@vouchsafe/crypto/browser';
import fc from 'fast-check';
import { signatureVectors } from './suite/load-vectors.ts';

type Entry = typeof node;

/** A small change of bytes: one octet replaced, taken out, put in, or the end cut off or grown. */
const mutation = fc.record({
  kind: fc.constantFrom('keep', 'replace', 'remove', 'insert', 'cut', 'grow'),
  at: fc.nat(),
  octet: fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)),
});

function mutate(bytes: Uint8Array, { kind, at, octet }: { kind: string; at: number; octet: number }): Uint8Array {
  const i = bytes.length === 0 ? 0 : at % bytes.length;
  const one = Uint8Array.of(octet);
  if (kind === 'replace' && bytes.length > 0) return bytes.with(i, octet);
  if (kind === 'remove') return concatBytes(bytes.subarray(0, i), bytes.subarray(i + 1));
  if (kind === 'insert') return concatBytes(bytes.subarray(0, i), one, bytes.subarray(i));
  if (kind === 'cut') return bytes.subarray(0, i);
  return kind === 'grow' ? concatBytes(bytes, one) : bytes;
}

/** What came of it: a verdict, or the code of the error; any other error is a defect and goes on. */
function outcome<T>(entry: Entry, run: () => T): T | string {
  try {
    return run();
  } catch (error) {
    if (error instanceof entry.CryptoError) return error.code;
    throw error;
  }
}

const vectors = signatureVectors.vectors.filter(({ key }) => key !== 'p-521' && key !== 'rsa-4096-e3');

test('mutated signatures and messages: the same verdict, and false unless nothing changed', () => {
  const keys = (entry: Entry) =>
    new Map(Object.entries(signatureVectors.keys).map(([name, spki]) => [name, entry.importPublicKey(parseHex(spki))]));
  const nodeKeys = keys(node);
  const browserKeys = keys(browser);
  const property = fc.property(
    fc.constantFrom(...vectors),
    fc.array(mutation, { minLength: 1, maxLength: 2 }),
    (vector, changes) => {
      const { key, scheme } = vector;
      const message = parseHex(vector.message);
      const signature = changes.reduce(mutate, parseHex(vector.signature));
      const verdict = outcome(node, () => node.verifySignature(nodeKeys.get(key)!, scheme, message, signature));
      assert.equal(
        verdict,
        outcome(browser, () => browser.verifySignature(browserKeys.get(key)!, scheme, message, signature)),
      );
      if (scheme.kind !== 'ed25519') {
        const digest = node.digest(scheme.hash, message);
        assert.equal(
          outcome(node, () => node.verifyDigest(nodeKeys.get(key)!, scheme, digest, signature)),
          verdict,
        );
      }
      const isSame = Buffer.compare(signature, parseHex(vector.signature)) === 0;
      assert.equal(verdict, isSame ? vector.isGood : false);
    },
  );
  fc.assert(property, { numRuns: 400 });
});

test('mutated keys: the same error, or the same key and the same verdict', () => {
  const property = fc.property(
    fc.constantFrom(...vectors),
    fc.array(mutation, { minLength: 1, maxLength: 3 }),
    (vector, changes) => {
      const spki = changes.reduce(mutate, parseHex(signatureVectors.keys[vector.key]!));
      const run = (entry: Entry) =>
        outcome(entry, () => {
          const key = entry.importPublicKey(spki);
          const verdict = outcome(entry, () =>
            entry.verifySignature(key, vector.scheme, parseHex(vector.message), parseHex(vector.signature)),
          );
          return JSON.stringify([key.algorithm, verdict]);
        });
      assert.equal(run(node), run(browser));
    },
  );
  fc.assert(property, { numRuns: 600 });
});

test('points of P-256 made at random, compressed or not: the same keys are taken', () => {
  const head = {
    65: '3059301306072a8648ce3d020106082a8648ce3d030107034200',
    33: '3039301306072a8648ce3d020106082a8648ce3d030107032200',
  };
  const point = fc.tuple(fc.constantFrom(2, 3, 4), fc.uint8Array({ minLength: 64, maxLength: 64 }));
  let taken = 0;
  const property = fc.property(point, ([form, coordinates]) => {
    const size = form === 4 ? 65 : 33;
    const bytes = concatBytes(parseHex(head[size]), Uint8Array.of(form), coordinates.subarray(0, size - 1));
    const run = (entry: Entry) => outcome(entry, () => JSON.stringify(entry.importPublicKey(bytes).algorithm));
    const found = run(node);
    if (found !== 'invalid_key') taken++;
    assert.equal(run(browser), found);
  });
  fc.assert(property, { numRuns: 200 });
  assert.ok(taken > 10, `${taken} keys were taken: about half of the compressed ones are on the curve`);
});

test('Ed25519 keys and signatures made at random: the same keys are taken, the same verdict is given', () => {
  const octets = (size: number) => fc.uint8Array({ minLength: size, maxLength: size });
  let taken = 0;
  const property = fc.property(octets(32), octets(64), (point, signature) => {
    const spki = concatBytes(parseHex('302a300506032b6570032100'), point);
    signature[63]! &= 0x0f;
    const run = (entry: Entry) =>
      outcome(entry, () => entry.verifySignature(entry.importPublicKey(spki), { kind: 'ed25519' }, point, signature));
    const found = run(node);
    if (found === false) taken++;
    assert.equal(run(browser), found);
  });
  fc.assert(property, { numRuns: 150 });
  assert.ok(taken > 10, `${taken} keys were taken: about half are on the curve`);
});

test('Ed25519 with a part of small order, which only the owner of a key can make: the same verdict', () => {
  const { Point } = ed25519;
  const order = Point.Fn.ORDER;
  // Of order 8.
  const torsion = Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05');
  const secret = 123456789n;
  const number = (bytes: Uint8Array) => BigInt(`0x${toHex(bytes.toReversed())}`);
  const scalar = (value: bigint) => parseHex(value.toString(16).padStart(64, '0')).toReversed();
  const verdicts = new Set<unknown>();
  for (const inKey of [false, true]) {
    const base = Point.BASE.multiply(secret);
    const point = (inKey ? base.add(torsion) : base).toBytes();
    const spki = concatBytes(parseHex('302a300506032b6570032100'), point);
    for (let nonce = 1n; nonce < 25n; nonce++) {
      for (const inNonce of [false, true]) {
        const commitment = Point.BASE.multiply(nonce);
        const r = (inNonce ? commitment.add(torsion) : commitment).toBytes();
        const k = number(createHash('sha512').update(r).update(point).update('m').digest()) % order;
        const signature = concatBytes(r, scalar((nonce + k * secret) % order));
        const run = (entry: Entry) =>
          outcome(entry, () =>
            entry.verifySignature(entry.importPublicKey(spki), { kind: 'ed25519' }, Uint8Array.of(0x6d), signature),
          );
        const verdict = run(node);
        assert.equal(run(browser), verdict, `torsion in key ${inKey}, in nonce ${inNonce}, nonce ${nonce}`);
        if (!inKey) assert.equal(verdict, !inNonce);
        verdicts.add(verdict);
      }
    }
  }
  assert.deepEqual([...verdicts].sort(), [false, true]);
});

test('digests and HMACs of any bytes are the same', () => {
  const algorithms = node.DIGEST_ALGORITHMS.filter(
    (name) => node.isDigestAvailable(name) && browser.isDigestAvailable(name),
  );
  assert.ok(algorithms.length >= 9);
  const property = fc.property(
    fc.constantFrom(...algorithms),
    fc.uint8Array({ maxLength: 600 }),
    fc.uint8Array({ maxLength: 200 }),
    (algorithm, bytes, key) => {
      assert.deepEqual(node.digest(algorithm, bytes), browser.digest(algorithm, bytes));
      assert.deepEqual(node.hmac(algorithm, key, bytes), browser.hmac(algorithm, key, bytes));
      assert.deepEqual(node.pbkdf2(algorithm, key, bytes, 3, 40), browser.pbkdf2(algorithm, key, bytes, 3, 40));
    },
  );
  fc.assert(property, { numRuns: 300 });
});
