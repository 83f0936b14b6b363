// SPDX-License-Identifier: Apache-2.0
import { concatBytes, parseHex } from '@vouchsafe/base';
import type { DigestAlgorithm, PublicKey, SignatureScheme } from '@vouchsafe/crypto';
import type { Case, Subject } from './case.ts';

/** What holds for every scheme, over the recorded signatures. */
export function signatureCases({ entry, vectors }: Subject): Case[] {
  const keys = new Map<string, PublicKey>();
  for (const [name, spki] of Object.entries(vectors.keys)) keys.set(name, entry.importPublicKey(parseHex(spki)));

  const answers = Object.keys(vectors.keys).map(
    (name): Case => ({
      name: `recorded signatures of ${name}`,
      run(check) {
        let count = 0;
        for (const { name: what, scheme, message, signature, isGood } of vectors.vectors.filter(
          ({ key }) => key === name,
        )) {
          const bytes = parseHex(message);
          check.same(entry.verifySignature(keys.get(name)!, scheme, bytes, parseHex(signature)), isGood, what);
          if (scheme.kind !== 'ed25519') {
            const digest = entry.digest(scheme.hash, bytes);
            check.same(
              entry.verifyDigest(keys.get(name)!, scheme, digest, parseHex(signature)),
              isGood,
              `${what}, digest`,
            );
          }
          count++;
        }
        check.same(count > 0, true, 'there are signatures of it');
      },
    }),
  );

  /** One good signature of each key and kind of scheme. */
  const samples = new Map(
    vectors.vectors.filter(({ isGood }) => isGood).map((vector) => [`${vector.key} ${vector.scheme.kind}`, vector]),
  );

  return [
    ...answers,
    {
      name: 'a bit flipped in the message or in the signature, another key, another length: false',
      run(check) {
        for (const [name, { key: keyName, scheme, message, signature }] of samples) {
          const key = keys.get(keyName)!;
          const good = parseHex(signature);
          const text = parseHex(message);
          const verdict = (m: Uint8Array, s: Uint8Array) => entry.verifySignature(key, scheme, m, s);
          check.same(verdict(text, good), true, name);
          check.same(verdict(text.with(0, text[0]! ^ 1), good), false, `${name}, message`);
          check.same(verdict(text.subarray(1), good), false, `${name}, shorter message`);
          // Some positions: P-521 takes 20 ms a check in a browser.
          for (const at of [0, 1, 2, 5, good.length >> 1, good.length - 1]) {
            check.same(verdict(text, good.with(at, good[at]! ^ 1)), false, `${name}, octet ${at}`);
            check.same(verdict(text, good.with(at, good[at]! ^ 0x80)), false, `${name}, octet ${at}, top bit`);
          }
          for (const size of [0, 1, good.length - 1])
            check.same(verdict(text, good.subarray(0, size)), false, `${name}, ${size}`);
          check.same(verdict(text, concatBytes(good, Uint8Array.of(0))), false, `${name}, a zero after it`);
          check.same(verdict(text, concatBytes(Uint8Array.of(0), good)), false, `${name}, a zero before it`);
          check.same(verdict(text, new Uint8Array(good.length)), false, `${name}, zeros`);
          check.same(verdict(text, new Uint8Array(good.length).fill(0xff)), false, `${name}, ones`);
          check.same(verdict(text, new Uint8Array(100_000)), false, `${name}, very long`);
        }
      },
    },
    {
      name: 'another hash than was signed with: false; one of the wrong length too',
      run(check) {
        for (const [name, { key: keyName, scheme, message, signature }] of samples) {
          if (scheme.kind === 'ed25519') continue;
          const key = keys.get(keyName)!;
          const other: SignatureScheme = { ...scheme, hash: scheme.hash === 'sha256' ? 'sha3-256' : 'sha256' };
          check.same(entry.verifySignature(key, other, parseHex(message), parseHex(signature)), false, name);
          const digest = entry.digest(scheme.hash, parseHex(message));
          check.same(entry.verifyDigest(key, scheme, digest, parseHex(signature)), true, name);
          for (const bad of [digest.subarray(1), concatBytes(digest, Uint8Array.of(0)), new Uint8Array()]) {
            check.same(
              entry.verifyDigest(key, scheme, bad, parseHex(signature)),
              false,
              `${name}, ${bad.length} octets`,
            );
          }
        }
      },
    },
    {
      name: 'a key of another kind than the scheme needs: key_mismatch',
      run(check) {
        const schemes: SignatureScheme[] = [
          { kind: 'rsa-pkcs1', hash: 'sha256' },
          { kind: 'rsa-pss', hash: 'sha256', saltSize: 'any' },
          { kind: 'ecdsa', hash: 'sha256', encoding: 'der' },
          { kind: 'ed25519' },
        ];
        const needs = ['rsa', 'rsa', 'ec', 'ed25519'];
        for (const name of ['rsa-2048', 'p-256', 'ed25519']) {
          const key = keys.get(name)!;
          schemes.forEach((scheme, i) => {
            if (needs[i] === key.algorithm.kind) return;
            const none = new Uint8Array(64);
            check.throwsCode(
              'key_mismatch',
              () => entry.verifySignature(key, scheme, none, none),
              `${name}, ${scheme.kind}`,
            );
            if (scheme.kind === 'ed25519') return;
            check.throwsCode(
              'key_mismatch',
              () => entry.verifyDigest(key, scheme, none, none),
              `${name}, ${scheme.kind}`,
            );
          });
        }
      },
    },
    {
      name: 'a digest that nothing is signed with: unsupported',
      run(check) {
        for (const hash of ['blake2b-512', 'blake2s-256', 'sm3'] satisfies DigestAlgorithm[]) {
          const none = new Uint8Array();
          for (const scheme of [
            { kind: 'rsa-pkcs1', hash },
            { kind: 'rsa-pss', hash, saltSize: 'any' },
          ] as const) {
            check.throwsCode(
              'unsupported',
              () => entry.verifySignature(keys.get('rsa-2048')!, scheme, none, none),
              hash,
            );
            check.throwsCode('unsupported', () => entry.verifyDigest(keys.get('rsa-2048')!, scheme, none, none), hash);
          }
          const ecdsa: SignatureScheme = { kind: 'ecdsa', hash, encoding: 'raw' };
          check.throwsCode('unsupported', () => entry.verifySignature(keys.get('p-256')!, ecdsa, none, none), hash);
        }
      },
    },
  ];
}
