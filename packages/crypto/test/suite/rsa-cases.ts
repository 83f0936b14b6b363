// SPDX-License-Identifier: Apache-2.0
import { concatBytes, parseHex, toHex, utf8 } from '@vouchsafe/base';
import type { DigestSignatureScheme, SignatureScheme } from '@vouchsafe/crypto';
import type { Case, Subject } from './case.ts';
import { rsaSpki, someModulus } from './der-writer.ts';

const PKCS1: DigestSignatureScheme = { kind: 'rsa-pkcs1', hash: 'sha256' };

/** DigestInfo of SHA-256, up to the digest. RFC 8017, section 9.2, note 1. */
const SHA256_INFO = parseHex('3031300d060960864801650304020105000420');

function toBigint(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes)}`);
}

function toBytes(value: bigint, sizeBytes: number): Uint8Array {
  return parseHex(value.toString(16).padStart(2 * sizeBytes, '0'));
}

/** The least x with x³ >= value, by bisection. */
function cubeRootUp(value: bigint): bigint {
  let low = 0n;
  let high = 1n << BigInt(Math.ceil(value.toString(2).length / 3) + 1);
  while (low < high) {
    const middle = (low + high) / 2n;
    if (middle ** 3n < value) low = middle + 1n;
    else high = middle;
  }
  return low;
}

export function rsaCases({ entry, vectors }: Subject): Case[] {
  const key = (name: string) => entry.importPublicKey(parseHex(vectors.keys[name]!));
  const modulus = (name: string) => {
    // The modulus of these keys is the last number but one: e is 3 or 65,537.
    const spki = parseHex(vectors.keys[name]!);
    const size = Math.ceil((key(name).algorithm as { bits: number }).bits / 8);
    const tail = spki.at(-2) === 1 ? 3 : 5;
    return spki.subarray(spki.length - tail - size, spki.length - tail);
  };
  return [
    {
      name: 'RSA: a cube root is no signature (Bleichenbacher, 2006), e = 3',
      run(check) {
        const message = utf8('never signed');
        const info = concatBytes(SHA256_INFO, entry.digest('sha256', message));
        for (const [name, size] of [
          ['rsa-2048-e3', 256],
          ['rsa-4096-e3', 512],
        ] as const) {
          for (const padding of [8, 1, 0]) {
            // 00 01 ff… 00 DigestInfo, and then whatever the cube of a whole number happens to end in.
            const start = concatBytes(Uint8Array.of(0, 1), new Uint8Array(padding).fill(0xff), Uint8Array.of(0), info);
            const wanted = toBigint(concatBytes(start, new Uint8Array(size - start.length)));
            const root = cubeRootUp(wanted);
            const forged = toBytes(root, size);
            // That the forgery would get past a parser which does not look behind the digest:
            check.same(
              toHex(toBytes(root ** 3n, size)).startsWith(toHex(start)),
              true,
              'the forgery is what it claims',
            );
            check.same(
              entry.verifySignature(key(name), PKCS1, message, forged),
              false,
              `${name}, ${padding} octets of padding`,
            );
          }
        }
      },
    },
    {
      name: 'RSA: a number of the modulus or more is no signature',
      run(check) {
        for (const name of ['rsa-1024', 'rsa-1537', 'rsa-3072', 'rsa-4096-e3']) {
          const vector = vectors.vectors.find(({ name: known }) => known === `${name} pkcs1 sha256`)!;
          const message = parseHex(vector.message);
          const n = modulus(name);
          const signature = parseHex(vector.signature);
          check.same(entry.verifySignature(key(name), PKCS1, message, signature), true, name);
          const bumped = toBigint(signature) + toBigint(n);
          const digits = bumped.toString(16).length;
          if (digits <= 2 * n.length) {
            check.same(
              entry.verifySignature(key(name), PKCS1, message, toBytes(bumped, n.length)),
              false,
              `${name}, s + n`,
            );
          }
          for (const scheme of [PKCS1, { kind: 'rsa-pss', hash: 'sha256', saltSize: 'any' }] as const) {
            for (const value of [toBigint(n), toBigint(n) - 1n, toBigint(n) + 1n, 1n, 0n]) {
              check.same(
                entry.verifySignature(key(name), scheme, message, toBytes(value, n.length)),
                false,
                `${name}, ${scheme.kind}`,
              );
            }
          }
        }
      },
    },
    {
      name: 'RSA: a salt that cannot be is false, a length that is none is refused',
      run(check) {
        const vector = vectors.vectors.find(({ name }) => name === 'rsa-1024 pss sha256 salt 32')!;
        const verdict = (saltSize: number) => {
          const scheme: SignatureScheme = { kind: 'rsa-pss', hash: 'sha256', saltSize };
          return entry.verifySignature(key('rsa-1024'), scheme, parseHex(vector.message), parseHex(vector.signature));
        };
        check.same(verdict(32), true);
        // 94 octets is all that fits: 128 - 32 - 2.
        for (const saltSize of [0, 31, 33, 94, 95, 127, 128, 129, 2 ** 31, 2 ** 40])
          check.same(verdict(saltSize), false, `${saltSize}`);
        for (const saltSize of [-1, -2, -3, 1.5, Number.NaN, Infinity]) {
          check.throwsCode('unsupported', () => verdict(saltSize), `${saltSize}`);
        }
      },
    },
    {
      name: 'RSA: the largest key and exponent end in bounded work',
      run(check) {
        const largest = entry.importPublicKey(rsaSpki(someModulus(16384), Uint8Array.of(0xff, 0xff, 0xff, 0xff)));
        const signature = new Uint8Array(2048).fill(0x5a).fill(1, 0, 1);
        for (const scheme of [PKCS1, { kind: 'rsa-pss', hash: 'sha512', saltSize: 'any' }] as const) {
          check.same(entry.verifySignature(largest, scheme, utf8('x'), signature), false, scheme.kind);
          check.same(
            entry.verifyDigest(largest, scheme, entry.digest(scheme.hash, utf8('x')), signature),
            false,
            scheme.kind,
          );
        }
      },
    },
  ];
}
