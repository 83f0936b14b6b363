// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes } from '@vouchsafe/base';
import { type Codec, CodecError, decode, encode } from '@vouchsafe/codec';
import {
  commandHeader,
  decodePcrSelection,
  encodePcrSelection,
  responseHeader,
  type TpmsAttest,
  tpm2bPublic,
  tpmaObject,
  tpmlDigest,
  tpmlPcrSelection,
  tpmsAttest,
  tpmtPublic,
  tpmtSignature,
} from '@vouchsafe/tpm';
import fc from 'fast-check';
import { codeOf, testdata } from './support.ts';

const octets = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });
const KINDS = ['ecc-ecdsa', 'rsa-rsassa', 'rsa-rsapss'];

/** Every prefix, and one octet more, is an error of the codec; the whole is not, and is written back as it was. */
function holdsExactly(codec: Codec<unknown>, bytes: Uint8Array): void {
  assert.deepEqual(encode(codec, decode(codec, bytes)), bytes);
  for (let size = 0; size < bytes.length; size++) {
    assert.throws(() => decode(codec, bytes.subarray(0, size)), CodecError, `${codec.name}, ${size} octets`);
  }
  assert.equal(
    codeOf(() => decode(codec, concatBytes(bytes, Uint8Array.of(0)))),
    'trailing_bytes',
  );
}

test('what a TPM wrote is read and written back; every truncation and a trailing octet are errors', () => {
  for (const kind of KINDS) {
    holdsExactly(tpmsAttest as Codec<unknown>, testdata(`quote/${kind}.attest`));
    holdsExactly(tpmtSignature as Codec<unknown>, testdata(`quote/${kind}.sig`));
    holdsExactly(tpm2bPublic as Codec<unknown>, testdata(`quote/${kind}.pub`));
  }
});

test('key hashes and symmetric keys are public areas too', () => {
  // Part 2, 12.2.4: type, nameAlg, attributes, policy, parameters, unique.
  const sealed = Uint8Array.of(0, 8, 0, 0xb, 0, 0, 0, 0x12, 0, 0, 0, 0x10, 0, 1, 0xaa);
  const area = decode(tpmtPublic, sealed);
  assert.ok(area.type === 'keyedhash');
  assert.equal(area.parameters.scheme.scheme, 'null');
  holdsExactly(tpmtPublic as Codec<unknown>, sealed);
  const aes = Uint8Array.of(0, 0x25, 0, 0xb, 0, 2, 0, 0x10, 0, 0, 0, 6, 0, 0x80, 0, 0x43, 0, 0);
  const cipher = decode(tpmtPublic, aes);
  assert.ok(cipher.type === 'symcipher');
  assert.deepEqual(cipher.parameters.sym, { algorithm: 'aes', details: { keyBits: 128, mode: 'cfb' } });
  holdsExactly(tpmtPublic as Codec<unknown>, aes);
});

test('the reserved bits of the attributes are refused, each one', () => {
  const named = new Set([1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 16, 17, 18, 19]);
  for (let bit = 0; bit < 32; bit++) {
    const word = Uint8Array.from([24, 16, 8, 0], (shift) => ((1 << bit) >>> shift) & 0xff);
    if (named.has(bit)) assert.deepEqual(encode(tpmaObject, decode(tpmaObject, word)), word);
    else
      assert.equal(
        codeOf(() => decode(tpmaObject, word)),
        'unknown_value',
        `bit ${bit}`,
      );
  }
});

test('A21: counts and sizes beyond the limits are errors before anything is read', () => {
  const count = (n: number): Uint8Array => Uint8Array.of(n >>> 24, (n >>> 16) & 0xff, (n >>> 8) & 0xff, n & 0xff);
  for (const n of [17, 0xffff_ffff])
    assert.equal(
      codeOf(() => decode(tpmlPcrSelection, count(n))),
      'limit',
    );
  assert.equal(
    codeOf(() => decode(tpmlPcrSelection, count(16))),
    'truncated',
  );
  for (const n of [9, 0xffff_ffff])
    assert.equal(
      codeOf(() => decode(tpmlDigest, count(n))),
      'limit',
    );
  assert.equal(
    codeOf(() => decode(tpmlDigest, concatBytes(count(1), Uint8Array.of(0, 65)))),
    'limit',
  );
  assert.equal(
    codeOf(() => decode(tpmlPcrSelection, concatBytes(count(1), Uint8Array.of(0, 0xb, 5)))),
    'limit',
  );
  assert.equal(
    codeOf(() => decode(tpm2bPublic, Uint8Array.of(0xff, 0xff))),
    'limit',
  );
});

test('PCR selections: the wire form and the numbers are one another’s inverse', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(23)), (numbers) => {
      const pcrs = numbers.toSorted((a, b) => a - b);
      const wire = encodePcrSelection({ bank: 'sha256', pcrs: numbers });
      assert.deepEqual(decodePcrSelection(wire), { bank: 'sha256', pcrs });
      assert.equal(wire.pcrSelect.length, 3);
    }),
  );
  for (const pcr of [-1, 24, 0.5, Number.NaN]) {
    assert.equal(
      codeOf(() => encodePcrSelection({ bank: 'sha256', pcrs: [pcr] })),
      'argument_invalid',
    );
  }
  assert.deepEqual(decodePcrSelection({ hash: 0x99, pcrSelect: Uint8Array.of(0, 0, 0, 0x80) }), {
    bank: 0x99,
    pcrs: [31],
  });
});

test('attestations round-trip', () => {
  const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  const u32 = fc.nat(0xffff_ffff);
  const hash = fc.constantFrom('sha256' as const, 'sm3_256' as const, 0x7777);
  const selections = fc.array(fc.tuple(hash, octets(4)), { maxLength: 16 });
  fc.assert(
    fc.property(
      octets(66),
      octets(64),
      u64,
      u32,
      fc.boolean(),
      selections,
      (name, digest, clock, count, safe, banks) => {
        const value: TpmsAttest = {
          magic: 0xff544347,
          type: 'quote',
          qualifiedSigner: name,
          extraData: digest,
          clockInfo: { clock, resetCount: count, restartCount: count, safe },
          firmwareVersion: clock,
          attested: { pcrSelect: banks.map(([bank, pcrSelect]) => ({ hash: bank, pcrSelect })), pcrDigest: digest },
        };
        assert.deepEqual(decode(tpmsAttest, encode(tpmsAttest, value)), value);
      },
    ),
  );
});

test('headers of commands and responses', () => {
  const command = Uint8Array.of(0x80, 0x01, 0, 0, 0, 0x0c, 0, 0, 0x01, 0x44);
  assert.deepEqual(decode(commandHeader, command), { tag: 'noSessions', commandSize: 12, commandCode: 0x144 });
  holdsExactly(commandHeader as Codec<unknown>, command);
  holdsExactly(responseHeader as Codec<unknown>, Uint8Array.of(0x00, 0xc4, 0, 0, 0, 10, 0, 0, 0, 0x1e));
  assert.equal(
    codeOf(() => decode(responseHeader, Uint8Array.of(0x80, 0x03, 0, 0, 0, 10, 0, 0, 0, 0))),
    'unknown_value',
  );
});
