// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict';
import { type Certificate, decodeCertificates, PkiError, type PkiErrorCode } from '@vouchsafe/pki';
import { readTestdata } from './testdata.ts';

export { readTestdata, testdataPath } from './testdata.ts';

/** The first certificate of a file in testdata/certificates. */
export function certificate(name: string): Certificate {
  const [first] = decodeCertificates(readTestdata(`certificates/${name}.pem`));
  assert.ok(first);
  return first;
}

/** For assert.throws and assert.rejects: a PkiError with that code, and at that offset when one is given. */
export function pkiError(code: PkiErrorCode, offset?: number): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof PkiError, String(error));
    assert.equal(error.code, code, error.message);
    if (offset !== undefined) assert.equal(error.offset, offset, error.message);
    return true;
  };
}

/** Hexadecimal with spaces to bytes. */
export function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
}

/** A copy in which one octet is another. */
export function withOctet(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at] = value;
  return copy;
}

/** The one place where `needle` is. */
export function placeOf(haystack: Uint8Array, needle: Uint8Array): number {
  const at = Buffer.from(haystack).indexOf(needle);
  assert.ok(at >= 0 && Buffer.from(haystack).indexOf(needle, at + 1) === -1, 'expected the needle once');
  return at;
}
