// SPDX-License-Identifier: Apache-2.0
import { concatBytes, parseHex, toHex } from '@vouchsafe/base';
import type { Case, Subject } from './case.ts';

const SPKI_HEAD = parseHex('302a300506032b6570032100'); // RFC 8410, section 4
const L = 2n ** 252n + 27742317777372353535851937790883648493n;

/** RFC 8032, section 7.1: TEST 1 to TEST 3; key, message, signature. */
const RFC_8032: readonly (readonly [string, string, string])[] = [
  [
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    '',
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  ],
  [
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    '72',
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  ],
  [
    'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    'af82',
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  ],
];

/** Both signs of each y of small order, and what is not canonical: y >= p, and x = 0 with its sign set. */
const REFUSED: readonly string[] = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000080',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  '0200000000000000000000000000000000000000000000000000000000000000',
];

export function ed25519Cases({ entry }: Subject): Case[] {
  const importPoint = (point: string) => entry.importPublicKey(concatBytes(SPKI_HEAD, parseHex(point)));
  return [
    {
      name: 'Ed25519: RFC 8032, and S + L is no second signature',
      run(check) {
        for (const [point, message, signature] of RFC_8032) {
          const key = importPoint(point);
          const verdict = (bytes: Uint8Array) =>
            entry.verifySignature(key, { kind: 'ed25519' }, parseHex(message), bytes);
          const good = parseHex(signature);
          check.same(verdict(good), true, message);
          const s = BigInt(`0x${toHex(good.subarray(32).toReversed())}`);
          const bumped = parseHex((s + L).toString(16).padStart(64, '0')).toReversed();
          check.same(verdict(concatBytes(good.subarray(0, 32), bumped)), false, 'S + L');
          check.same(verdict(concatBytes(good.subarray(32), good.subarray(0, 32))), false, 'exchanged');
          for (const r of REFUSED) check.same(verdict(concatBytes(parseHex(r), good.subarray(32))), false, `R = ${r}`);
        }
      },
    },
    {
      name: 'Ed25519: points of small order, off the curve or not canonical are no keys',
      run(check) {
        for (const point of REFUSED) check.throwsCode('invalid_key', () => importPoint(point), point);
        check.same(importPoint(RFC_8032[0]![0]).algorithm.kind, 'ed25519');
      },
    },
  ];
}
