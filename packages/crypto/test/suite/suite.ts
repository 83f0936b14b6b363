// SPDX-License-Identifier: Apache-2.0
/**
 * One suite for both entries. It also runs inside a browser, so it imports nothing of Node's, and asserts through what
 * it is handed.
 */
import { cacheCases } from './cache-cases.ts';
import type { Case, Check, Entry, Subject } from './case.ts';
import { digestCases } from './digest-cases.ts';
import { ecdsaCases } from './ecdsa-cases.ts';
import { ed25519Cases } from './ed25519-cases.ts';
import { keyCases } from './key-cases.ts';
import { rsaCases } from './rsa-cases.ts';
import { secretCases } from './secret-cases.ts';
import { signatureCases } from './signature-cases.ts';

/** A Check that works anywhere: it throws an Error that says what differs. */
export function plainCheck(entry: Entry): Check {
  return {
    same(actual, expected, what = 'value') {
      if (!Object.is(actual, expected)) throw new Error(`${what}: expected ${String(expected)}, got ${String(actual)}`);
    },
    throwsCode(code, run, what = 'call') {
      let found = 'nothing thrown';
      try {
        run();
      } catch (error) {
        found = error instanceof entry.CryptoError ? error.code : String(error);
      }
      if (found !== code) throw new Error(`${what}: expected CryptoError ${code}, got ${found}`);
    },
  };
}

export function suite(subject: Subject): readonly Case[] {
  return [
    ...digestCases(subject),
    ...keyCases(subject),
    ...signatureCases(subject),
    ...rsaCases(subject),
    ...ecdsaCases(subject),
    ...ed25519Cases(subject),
    ...secretCases(subject),
    ...cacheCases(subject),
  ];
}
