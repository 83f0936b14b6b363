// SPDX-License-Identifier: Apache-2.0
import { concatBytes, parseHex, toHex } from '@vouchsafe/base';
import type { EcCurve } from '@vouchsafe/crypto';
import type { Case, Subject } from './case.ts';
import { der, derUnsigned } from './der-writer.ts';

/** Orders of the curves. NIST SP 800-186, section 3.2.1. */
const ORDERS: Readonly<Record<EcCurve, string>> = {
  'P-256': 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551',
  'P-384': 'ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973',
  'P-521':
    '01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409',
};

function stripZeros(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex((octet) => octet !== 0);
  return first < 0 ? new Uint8Array(1) : bytes.subarray(first);
}

export function ecdsaCases({ entry, vectors }: Subject): Case[] {
  return (Object.keys(ORDERS) as EcCurve[]).map((curve) => {
    const name = curve.toLowerCase();
    const vector = vectors.vectors.find((known) => known.name === `${name} ecdsa sha256 raw`)!;
    const message = parseHex(vector.message);
    const raw = parseHex(vector.signature);
    const size = raw.length / 2;
    const order = parseHex(ORDERS[curve]);
    const r = raw.subarray(0, size);
    const s = raw.subarray(size);
    const number = (bytes: Uint8Array) => BigInt(`0x${toHex(bytes)}`);
    const octets = (value: bigint) => parseHex(value.toString(16).padStart(2 * size, '0'));
    return {
      name: `ECDSA ${curve}: one encoding, and r and s from 1 to n - 1`,
      run(check) {
        const key = entry.importPublicKey(parseHex(vectors.keys[name]!));
        const isGood = (encoding: 'der' | 'raw', signature: Uint8Array) =>
          entry.verifySignature(key, { kind: 'ecdsa', hash: 'sha256', encoding }, message, signature);
        const R = derUnsigned(stripZeros(r));
        const S = derUnsigned(stripZeros(s));
        const good = der(0x30, R, S);
        check.same(isGood('der', good), true, 'DER');
        check.same(isGood('raw', raw), true, 'raw');
        check.same(isGood('der', raw), false, 'raw taken for DER');
        check.same(isGood('raw', good), false, 'DER taken for raw');

        // Every signature has a twin; which of them a signer gives is its own affair, so both are right.
        const twin = number(order) - number(s);
        check.same(isGood('raw', concatBytes(r, octets(twin))), true, 'n - s');

        const zero = new Uint8Array(size);
        const pairs: [Uint8Array, Uint8Array, string][] = [
          [zero, s, 'r = 0'],
          [r, zero, 's = 0'],
          [zero, zero, 'both 0'],
          [order, s, 'r = n'],
          [r, order, 's = n'],
          [octets(1n), octets(1n), 'both 1'],
          [s, r, 'exchanged'],
        ];
        const wrap = number(s) + number(order);
        if (wrap < 1n << BigInt(8 * size)) pairs.push([r, octets(wrap), 's + n']);
        for (const [badR, badS, what] of pairs) {
          check.same(isGood('raw', concatBytes(badR, badS)), false, what);
          check.same(
            isGood('der', der(0x30, derUnsigned(stripZeros(badR)), derUnsigned(stripZeros(badS)))),
            false,
            `${what}, DER`,
          );
        }

        const pad = (integer: Uint8Array) => der(0x02, Uint8Array.of(0), integer.subarray(2));
        const malformed: Record<string, Uint8Array> = {
          'a zero in front of r': der(0x30, pad(R), S),
          'a zero in front of s': der(0x30, R, pad(S)),
          'a zero after s': der(0x30, R, S, Uint8Array.of(0)),
          'NULL after s': der(0x30, R, S, der(0x05)),
          'an octet after the SEQUENCE': concatBytes(good, Uint8Array.of(0)),
          'a third number': der(0x30, R, S, S),
          'one number': der(0x30, R),
          'no number': der(0x30),
          SET: der(0x31, R, S),
          'OCTET STRINGs': der(0x30, der(0x04, r), der(0x04, s)),
          'an INTEGER of no octets': der(0x30, der(0x02), S),
          'a negative r': der(0x30, der(0x02, Uint8Array.of(0x80), r.subarray(1)), S),
          'an r of more octets than n': der(0x30, der(0x02, Uint8Array.of(1), r), S),
          'a huge r': der(0x30, der(0x02, new Uint8Array(5000).fill(0x7f)), S),
          'an indefinite length': concatBytes(Uint8Array.of(0x30, 0x80), R, S, new Uint8Array(2)),
          'a long length': concatBytes(Uint8Array.of(0x30, 0x82, 0), good.subarray(good[1] === 0x81 ? 2 : 1)),
          'a length of the highest form': concatBytes(Uint8Array.of(0x30, 0xff), R, S),
          'a length too large': good.with(good[1] === 0x81 ? 2 : 1, good[good[1] === 0x81 ? 2 : 1]! + 1),
        };
        for (const [what, bytes] of Object.entries(malformed)) check.same(isGood('der', bytes), false, what);
        for (let n = 0; n < good.length; n++) check.same(isGood('der', good.subarray(0, n)), false, `${n} octets`);
      },
    } satisfies Case;
  });
}
