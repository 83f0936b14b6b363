// SPDX-License-Identifier: Apache-2.0
// Whole formats: what the parts are worth together.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, encode } from '@vouchsafe/codec';
import { decodeQuoteByHand, encodeQuoteByHand } from '../bench/tpms-attest.ts';
import {
  EVERYTHING,
  everything,
  FORMATS,
  GPT,
  gptHeader,
  QUOTE,
  SUPERBLOCK,
  tpmsAttest,
  veritySuperblock,
} from './formats.ts';
import { acceptsFaithfully, refused, refusesOtherLengths } from './support.ts';

/** Formats whose last fields a reader may find missing. */
const OPEN_ENDED = new Set(['everything']);

for (const { name, codec, seed } of FORMATS) {
  test(`${name}: there and back`, () => {
    assert.ok(acceptsFaithfully(codec, seed));
  });

  test(`${name}: every bit turned is refused or written back`, () => {
    for (let bit = 0; bit < 8 * seed.length; bit++) {
      const input = seed.slice();
      input[bit >> 3] = (input[bit >> 3] as number) ^ (1 << (bit & 7));
      acceptsFaithfully(codec, input);
    }
  });

  if (!OPEN_ENDED.has(name)) test(`${name}: every other length is refused`, () => refusesOtherLengths(codec, seed));
}

test('everything: each truncation is refused but for the fields that may be missing', () => {
  const seed = encode(everything, { ...EVERYTHING, last: 6n });
  const accepted = [...seed.keys()].filter((n) => acceptsFaithfully(everything, seed.subarray(0, n)));
  assert.deepEqual(accepted, [seed.length - 12, seed.length - 8]);
  refused(
    () => encode(everything, { ...EVERYTHING, later: undefined, last: 6n }),
    'invalid',
    'everything.last',
    seed.length - 12,
  );
});

test('TPMS_ATTEST: the declaration and the hand-written functions agree', () => {
  const octets = encode(tpmsAttest, QUOTE);
  assert.equal(octets.length, 145);
  assert.deepEqual(octets, encodeQuoteByHand(QUOTE));
  assert.deepEqual(decode(tpmsAttest, octets), decodeQuoteByHand(octets));
});

test('TPMS_ATTEST: errors name the field and the octet', () => {
  const octets = encode(tpmsAttest, QUOTE);
  const changed = (at: number, ...values: number[]): Uint8Array => {
    const copy = octets.slice();
    copy.set(values, at);
    return copy;
  };
  refused(() => decode(tpmsAttest, changed(0, 0)), 'mismatch', 'TPMS_ATTEST.magic', 0);
  refused(() => decode(tpmsAttest, changed(5, 0x19)), 'unknown_value', 'TPMS_ATTEST.type', 4);
  refused(() => decode(tpmsAttest, changed(6, 0, 69)), 'limit', 'TPMS_ATTEST.qualifiedSigner', 6);
  refused(() => decode(tpmsAttest, changed(92, 2)), 'invalid', 'TPMS_ATTEST.clockInfo.safe', 92);
  refused(() => decode(tpmsAttest, changed(101, 255, 255, 255, 255)), 'limit', 'TPMS_ATTEST.attested.pcrSelect', 101);
  refused(() => decode(tpmsAttest, changed(107, 5)), 'limit', 'TPMS_ATTEST.attested.pcrSelect[0].pcrSelect', 107);
  refused(() => decode(tpmsAttest, octets.subarray(0, 142)), 'truncated', 'TPMS_ATTEST.attested.pcrDigest', 113);
});

test('verity_sb and GPT: sizes, magic numbers, reserved space', () => {
  assert.equal(veritySuperblock.size, 512);
  assert.equal(gptHeader.size, 92);
  const superblock = encode(veritySuperblock, SUPERBLOCK);
  const header = encode(gptHeader, GPT);
  for (const at of [82, 87, 92, 343, 344, 511]) {
    const path = at < 88 ? 'pad1' : at < 344 ? 'salt' : 'pad2';
    refused(
      () =>
        decode(
          veritySuperblock,
          superblock.map((b, i) => (i === at ? 1 : b)),
        ),
      'mismatch',
      `verity_sb.${path}`,
      at,
    );
  }
  refused(
    () =>
      decode(
        veritySuperblock,
        superblock.map((b, i) => (i === 81 ? 2 : b)),
      ),
    'limit',
    'verity_sb.salt',
    88,
  );
  const field = 'EFI_PARTITION_TABLE_HEADER';
  refused(
    () =>
      decode(
        gptHeader,
        header.map((b, i) => (i === 12 ? 93 : b)),
      ),
    'mismatch',
    `${field}.headerSize`,
    12,
  );
  refused(
    () =>
      decode(
        gptHeader,
        header.map((b, i) => (i === 20 ? 1 : b)),
      ),
    'mismatch',
    `${field}.reserved`,
    20,
  );
});
