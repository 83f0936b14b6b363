// SPDX-License-Identifier: Apache-2.0
// What checks a signature, from files; errors name the file.
import { type Certificate, decodeCertificates, PkiError, parsePem } from '@vouchsafe/pki';
import { VerityError } from '@vouchsafe/verity';
import { readSmallFile } from './parse.ts';

/** RFC 7468, 8 and 9: PKCS7 is the older name; openssl writes CMS. */
const PEM_LABELS: readonly string[] = ['CMS', 'PKCS7'];

/** @throws {PkiError} as decodeCertificates, {BytesError} what the host refuses. */
export function readCertificates(path: string): Certificate[] {
  const bytes = readSmallFile(path);
  return inFile(path, () => decodeCertificates(bytes));
}

/**
 * The DER of a signature that may be in PEM.
 * @throws {VerityError} 'signature_malformed' for PEM of something else.
 */
export function signatureDer(bytes: Uint8Array): Uint8Array {
  if (!startsWith(bytes, '-----BEGIN ')) return bytes;
  const [block, ...more] = parsePem(bytes);
  if (block === undefined || more.length > 0 || !PEM_LABELS.includes(block.label)) {
    const found = [block, ...more].map((one) => one?.label ?? 'nothing').join(', ');
    throw new VerityError('signature_malformed', `expected one PEM block, CMS or PKCS7, found ${found}`);
  }
  return block.bytes;
}

export function startsWith(bytes: Uint8Array, text: string): boolean {
  return [...text].every((character, i) => bytes[i] === character.charCodeAt(0));
}

/** Adds the file's name to what is wrong with its content. */
export function inFile<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof PkiError) throw new PkiError(error.code, `${path}: ${error.message}`, { cause: error });
    if (error instanceof VerityError) throw new VerityError(error.code, `${path}: ${error.message}`, { cause: error });
    throw error;
  }
}
