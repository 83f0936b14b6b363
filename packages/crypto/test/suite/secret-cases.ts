// SPDX-License-Identifier: Apache-2.0
import { concatBytes, parseHex, toHex } from '@vouchsafe/base';
import type { Case, Subject } from './case.ts';

/** NIST SP 800-38A, section F.3.13 (CFB128-AES128.Encrypt). */
const CFB = {
  key: '2b7e151628aed2a6abf7158809cf4f3c',
  iv: '000102030405060708090a0b0c0d0e0f',
  plain: '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51',
  encrypted: '3b3fd92eb72dad20333449f8e83cfb4ac8a64537a0b3a93fcde3cdad9f1ce58b',
};

/** McGrew, Viega: The Galois/Counter Mode of Operation, appendix B, test case 14. */
const GCM = 'cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919';

/** NIST CAVP, KAS ECC CDH primitive, P-256, COUNT = 0. */
const ECDH = {
  point:
    '04700c48f77f56584c5cc632ca65640db91b6bacce3a4df6b42ce7cc838833d287' +
    'db71e509e3fd9b060ddb20ba5c51dcc5948d46fbf640dfe0441782cab85fa4ac',
  scalar: '7d7dc5f71eb29ddaf80d6214632eeae03d9058af1fb6d22ed80badb62bc1a534',
  shared: '46fc62106420ff012e54a434fbdd2d25ccc5852060561e68040dd7778997bd7b',
};

const CURVES = [
  ['P-256', 32],
  ['P-384', 48],
  ['P-521', 66],
] as const;

export function secretCases({ entry }: Subject): Case[] {
  const key = parseHex(CFB.key);
  const iv = parseHex(CFB.iv);
  return [
    {
      name: 'AES-CFB: known answer, and every length of a last block',
      run(check) {
        for (let size = 0; size <= 32; size++) {
          const plain = parseHex(CFB.plain).subarray(0, size);
          const encrypted = entry.encryptAesCfb(key, iv, plain);
          check.same(toHex(encrypted), CFB.encrypted.slice(0, 2 * size), `encrypt ${size}`);
          check.same(toHex(entry.decryptAesCfb(key, iv, encrypted)), toHex(plain), `decrypt ${size}`);
        }
        for (const size of [24, 32]) {
          const longer = new Uint8Array(size).fill(7);
          const encrypted = entry.encryptAesCfb(longer, iv, key);
          check.same(toHex(entry.decryptAesCfb(longer, iv, encrypted)), CFB.key, `key of ${size}`);
        }
        for (const size of [0, 15, 17, 33]) {
          check.throwsCode('invalid_input', () => entry.encryptAesCfb(new Uint8Array(size), iv, key), `key of ${size}`);
          check.throwsCode('invalid_input', () => entry.decryptAesCfb(key, new Uint8Array(size), key), `IV of ${size}`);
        }
      },
    },
    {
      name: 'AES-GCM: known answer, and any change refused',
      run(check) {
        const gcmKey = new Uint8Array(32);
        const nonce = new Uint8Array(12);
        const none = new Uint8Array();
        const sealed = entry.encryptAesGcm(gcmKey, nonce, new Uint8Array(16), none);
        check.same(toHex(sealed), GCM);
        const more = entry.encryptAesGcm(gcmKey, nonce, parseHex(CFB.plain), key);
        check.same(toHex(entry.decryptAesGcm(gcmKey, nonce, more, key) ?? none), CFB.plain);
        check.same(entry.decryptAesGcm(gcmKey, nonce, more, iv), undefined, 'other additional data');
        for (let at = 0; at < more.length; at++) {
          const changed = Uint8Array.from(more);
          changed[at]! ^= 1;
          check.same(entry.decryptAesGcm(gcmKey, nonce, changed, key), undefined, `octet ${at}`);
        }
        check.same(entry.decryptAesGcm(gcmKey, nonce, more.subarray(0, 15), key), undefined, 'shorter than a tag');
        for (const size of [0, 16, 31, 33]) {
          check.throwsCode('invalid_input', () => entry.encryptAesGcm(new Uint8Array(size), nonce, key, iv), 'key');
        }
        for (const size of [0, 11, 13, 16]) {
          check.throwsCode('invalid_input', () => entry.decryptAesGcm(gcmKey, new Uint8Array(size), more, iv), 'nonce');
        }
      },
    },
    {
      name: 'ECDH: known answer, agreement on each curve, and what is refused',
      run(check) {
        const scalar = parseHex(ECDH.scalar);
        check.same(toHex(entry.ecdhSharedX('P-256', scalar, parseHex(ECDH.point))), ECDH.shared);
        for (const [curve, size] of CURVES) {
          const a = new Uint8Array(size).fill(0x11).fill(0, 0, 1);
          const b = new Uint8Array(size).fill(0x22).fill(0, 0, 1);
          const [pointA, pointB] = [entry.ecPointOf(curve, a), entry.ecPointOf(curve, b)];
          const shared = entry.ecdhSharedX(curve, a, pointB);
          check.same(toHex(shared), toHex(entry.ecdhSharedX(curve, b, pointA)), curve);
          check.same(shared.length, size, `${curve}: size`);
          const offCurve = Uint8Array.from(pointB);
          offCurve[offCurve.length - 1]! ^= 1;
          check.throwsCode('invalid_key', () => entry.ecdhSharedX(curve, a, offCurve), `${curve}: off the curve`);
          const compressed = concatBytes(Uint8Array.of(2), pointB.subarray(1, 1 + size));
          check.throwsCode('invalid_key', () => entry.ecdhSharedX(curve, a, compressed), `${curve}: compressed`);
          const bad = [new Uint8Array(size), new Uint8Array(size).fill(0xff), new Uint8Array(size - 1).fill(1)];
          for (const wrong of bad) check.throwsCode('invalid_input', () => entry.ecPointOf(curve, wrong), curve);
        }
      },
    },
    {
      name: 'RSAES-OAEP: what does not fit is refused',
      run(check) {
        const modulus = `00${'c1'.repeat(256)}`;
        const spki = parseHex(`30820122300d06092a864886f70d01010105000382010f003082010a02820101${modulus}0203010001`);
        const rsa = entry.importPublicKey(spki);
        const parameters = { hash: 'sha256', label: new Uint8Array(), seed: new Uint8Array(32) } as const;
        const encrypted = entry.encryptRsaOaep(rsa, new Uint8Array(190), parameters);
        check.same(encrypted.length, 256);
        check.throwsCode('invalid_input', () => entry.encryptRsaOaep(rsa, new Uint8Array(191), parameters));
        const short = { ...parameters, seed: new Uint8Array(31) };
        check.throwsCode('invalid_input', () => entry.encryptRsaOaep(rsa, new Uint8Array(1), short));
      },
    },
  ];
}
