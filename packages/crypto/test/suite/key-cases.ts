// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, concatBytes, parseHex, toHex } from '@vouchsafe/base';
import type { Case, Subject } from './case.ts';
import { der, derUnsigned, RSA_ALGORITHM, rsaSpki, someModulus } from './der-writer.ts';

const F4 = Uint8Array.of(1, 0, 1);

export function keyCases({ entry, vectors }: Subject): Case[] {
  const key = (name: string) => parseHex(vectors.keys[name]!);
  const describe = (spki: Uint8Array) => JSON.stringify(entry.importPublicKey(spki).algorithm);
  return [
    {
      name: 'importPublicKey: says what the key is, and keeps its bytes',
      run(check) {
        check.same(describe(key('rsa-1024')), '{"kind":"rsa","bits":1024}');
        check.same(describe(key('rsa-1537')), '{"kind":"rsa","bits":1537}');
        check.same(describe(key('rsa-4096-e3')), '{"kind":"rsa","bits":4096}');
        check.same(describe(key('p-256')), '{"kind":"ec","curve":"P-256"}');
        check.same(describe(key('p-384')), '{"kind":"ec","curve":"P-384"}');
        check.same(describe(key('p-521')), '{"kind":"ec","curve":"P-521"}');
        check.same(describe(key('ed25519')), '{"kind":"ed25519"}');
        const given = key('p-256');
        const imported = entry.importPublicKey(given);
        given.fill(0);
        check.same(bytesEqual(imported.spki, key('p-256')), true, 'a copy of what was given');
        check.same(Object.isFrozen(imported) && Object.isFrozen(imported.algorithm), true);
      },
    },
    {
      name: 'importPublicKey: every truncation and a trailing octet are refused',
      run(check) {
        for (const name of ['rsa-1024', 'p-256', 'p-521', 'ed25519']) {
          const spki = key(name);
          for (let n = 0; n < spki.length; n++) {
            check.throwsCode('invalid_key', () => entry.importPublicKey(spki.subarray(0, n)), `${name}, ${n} octets`);
          }
          check.throwsCode(
            'invalid_key',
            () => entry.importPublicKey(concatBytes(spki, Uint8Array.of(0))),
            `${name}, trailing`,
          );
        }
        check.throwsCode('invalid_key', () => entry.importPublicKey(new Uint8Array(2101)), 'too long');
      },
    },
    {
      name: 'importPublicKey: the bounds of RSA',
      run(check) {
        const accepts = (bits: number, exponent: Uint8Array) => describe(rsaSpki(someModulus(bits), exponent));
        const refuses = (modulus: Uint8Array, exponent: Uint8Array, what: string) =>
          check.throwsCode('invalid_key', () => entry.importPublicKey(rsaSpki(modulus, exponent)), what);
        check.same(accepts(1024, F4), '{"kind":"rsa","bits":1024}');
        check.same(accepts(16384, Uint8Array.of(0xff, 0xff, 0xff, 0xff)), '{"kind":"rsa","bits":16384}');
        check.same(accepts(2048, Uint8Array.of(3)), '{"kind":"rsa","bits":2048}');
        refuses(someModulus(1023), F4, '1,023 bits');
        refuses(someModulus(16385), F4, '16,385 bits');
        refuses(someModulus(2048).fill(2, -1), F4, 'an even modulus');
        refuses(someModulus(2048), Uint8Array.of(0), 'e = 0');
        refuses(someModulus(2048), Uint8Array.of(1), 'e = 1');
        refuses(someModulus(2048), Uint8Array.of(2), 'e = 2');
        refuses(someModulus(2048), Uint8Array.of(1, 0, 0), 'e even');
        refuses(someModulus(2048), Uint8Array.of(1, 0, 0, 0, 1), 'e of 33 bits');
        refuses(someModulus(2048), someModulus(2048), 'e as long as the modulus');
      },
    },
    {
      name: 'importPublicKey: one encoding of an RSA key, no other',
      run(check) {
        const n = derUnsigned(someModulus(1024));
        const e = derUnsigned(F4);
        const wrap = (inner: Uint8Array, algorithm = RSA_ALGORITHM, unused = 0) =>
          der(0x30, algorithm, der(0x03, Uint8Array.of(unused), inner));
        const refuses = (spki: Uint8Array, what: string) =>
          check.throwsCode('invalid_key', () => entry.importPublicKey(spki), what);
        const oid = RSA_ALGORITHM.subarray(2, 13);
        check.same(describe(wrap(der(0x30, n, e))), '{"kind":"rsa","bits":1024}', 'the right one');
        refuses(wrap(der(0x30, der(0x02, Uint8Array.of(0), n.subarray(3)), e)), 'two zeros in front of n');
        refuses(wrap(der(0x30, der(0x02, someModulus(1024).fill(0x81, 0, 1)), e)), 'a negative n');
        refuses(wrap(der(0x30, n, der(0x02, Uint8Array.of(0), F4))), 'a zero in front of e');
        refuses(wrap(der(0x30, n, der(0x02))), 'an INTEGER of no octets');
        refuses(wrap(der(0x30, n, e, e)), 'a third number');
        refuses(wrap(concatBytes(der(0x30, n, e), e)), 'something after RSAPublicKey');
        refuses(wrap(der(0x31, n, e)), 'SET for SEQUENCE');
        refuses(wrap(der(0x30, n, e), der(0x30, oid)), 'no parameters');
        refuses(wrap(der(0x30, n, e), der(0x30, oid, der(0x04))), 'other parameters');
        refuses(wrap(der(0x30, n, e), der(0x30, oid, der(0x05, Uint8Array.of(0)))), 'NULL with an octet');
        refuses(wrap(der(0x30, n, e), der(0x30, oid, der(0x05), der(0x05))), 'NULL twice');
        refuses(wrap(der(0x30, n, e), RSA_ALGORITHM, 1), 'unused bits');
        refuses(
          concatBytes(Uint8Array.of(0x30, 0x80), wrap(der(0x30, n, e)).subarray(3), new Uint8Array(2)),
          'indefinite length',
        );
        const spki = wrap(der(0x30, n, e));
        refuses(concatBytes(Uint8Array.of(0x30, 0x82, 0), spki.subarray(2)), 'a length longer than need be');
        refuses(concatBytes(Uint8Array.of(0x30, 0x84, 0, 0, 0), spki.subarray(2)), 'a length of four octets');
      },
    },
    {
      name: 'importPublicKey: points off the curve, at infinity and in hybrid form are refused',
      run(check) {
        for (const [name, size] of [
          ['p-256', 32],
          ['p-384', 48],
          ['p-521', 66],
        ] as const) {
          const spki = key(name);
          const head = spki.subarray(0, spki.length - 2 * size - 1);
          const at = (point: Uint8Array) => {
            const copy = concatBytes(head, point);
            // The lengths of the SEQUENCE and of the BIT STRING, for the shorter points.
            const delta = 2 * size + 1 - point.length;
            const outer = copy[1] === 0x81 ? 2 : 1;
            copy[outer] = copy[outer]! - delta;
            copy[head.length - 2] = copy[head.length - 2]! - delta;
            return copy;
          };
          const point = spki.subarray(-2 * size - 1);
          check.same(describe(at(point)), describe(spki));
          const refuses = (bad: Uint8Array, what: string) =>
            check.throwsCode('invalid_key', () => entry.importPublicKey(at(bad)), `${name}: ${what}`);
          const off = point.slice();
          off[2 * size]! ^= 1;
          refuses(off, 'off the curve');
          refuses(concatBytes(Uint8Array.of(6 + (point[2 * size]! & 1)), point.subarray(1)), 'hybrid');
          refuses(concatBytes(Uint8Array.of(4), new Uint8Array(2 * size)), 'x = y = 0');
          refuses(concatBytes(Uint8Array.of(4), new Uint8Array(2 * size).fill(0xff)), 'coordinates above p');
          refuses(point.subarray(0, -1), 'an octet short');
        }
        const infinity = concatBytes(key('p-256').subarray(0, 26), Uint8Array.of(0));
        infinity[1] = 0x19;
        infinity[24] = 2;
        check.throwsCode('invalid_key', () => entry.importPublicKey(infinity), 'infinity');
      },
    },
    {
      name: 'importPublicKey: a compressed point is the same key',
      run(check) {
        const spki = key('p-256');
        const y = spki.at(-1)!;
        const compressed = concatBytes(spki.subarray(0, 26), Uint8Array.of(2 + (y & 1)), spki.subarray(27, 59));
        compressed[1] = 0x39;
        compressed[24] = 0x22;
        check.same(describe(compressed), '{"kind":"ec","curve":"P-256"}');
        const vector = vectors.vectors.find(({ name }) => name === 'p-256 ecdsa sha256 der')!;
        const args = [vector.scheme, parseHex(vector.message), parseHex(vector.signature)] as const;
        check.same(entry.verifySignature(entry.importPublicKey(compressed), ...args), true);
        compressed[26]! ^= 1;
        check.same(entry.verifySignature(entry.importPublicKey(compressed), ...args), false, 'the other y');
      },
    },
    {
      name: 'importPublicKey: other algorithms and curves are named as such',
      run(check) {
        const swap = (name: string, from: string, to: string) => parseHex(toHex(key(name)).replace(from, to));
        const refuses = (spki: Uint8Array, what: string) =>
          check.throwsCode('unsupported', () => entry.importPublicKey(spki), what);
        refuses(swap('rsa-1024', '2a864886f70d010101', '2a864886f70d01010a'), 'RSASSA-PSS keys');
        refuses(swap('rsa-1024', '2a864886f70d010101', '2a864886f70d010107'), 'RSAES-OAEP keys');
        refuses(swap('ed25519', '2b6570', '2b656e'), 'X25519');
        refuses(swap('p-384', '2b81040022', '2b8104000a'), 'secp256k1');
        check.throwsCode(
          'invalid_key',
          () => entry.importPublicKey(swap('p-384', '06052b81040022', '30052b81040022')),
          'explicit curve',
        );
        check.throwsCode(
          'invalid_key',
          () => entry.importPublicKey(swap('p-384', '2b81040022', '2b81040023')),
          'another curve',
        );
      },
    },
    {
      name: 'a key that importPublicKey did not make is refused',
      run(check) {
        const { algorithm, spki } = entry.importPublicKey(key('ed25519'));
        const forged = { algorithm, spki };
        check.throwsCode('invalid_key', () =>
          entry.verifySignature(forged, { kind: 'ed25519' }, new Uint8Array(), new Uint8Array(64)),
        );
      },
    },
  ];
}
