// SPDX-License-Identifier: Apache-2.0
import { bytesEqual } from '@vouchsafe/base';
import { DerReader, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE } from '../der.ts';
import { CryptoError } from '../error.ts';
import { bytesToBigint } from '../modular-power.ts';

/** OWASP asks for 600,000 of PBKDF2 in 2023; this many take some seconds. The file's field would allow 2^31. */
const MAX_ITERATIONS = 10_000_000n;

/**
 * N·r·p of scrypt, each step of which hashes 128 octets twice. OpenSSL bounds its memory (N·r), but not its time (p).
 */
const MAX_SCRYPT_STEPS = 1n << 24n;

const PBES2 = Uint8Array.of(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d); // 1.2.840.113549.1.5.13
const SCRYPT = Uint8Array.of(0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x04, 0x0b); // 1.3.6.1.4.1.11591.4.11

/**
 * Refuses an encrypted private key that names a cost of opening it which nobody would choose, before anything is
 * derived. EncryptedPrivateKeyInfo, RFC 5958, section 3; PBES2 and PBKDF2, RFC 8018, appendix A; scrypt, RFC 7914,
 * section 7.
 * @throws {CryptoError} 'invalid_key'
 */
export function requireAffordableKdf(encryptedKey: Uint8Array): void {
  const algorithm = new DerReader(encryptedKey).enter(SEQUENCE)?.enter(SEQUENCE);
  let scheme = algorithm?.read(OBJECT_IDENTIFIER);
  let parameters = algorithm?.enter(SEQUENCE);
  if (scheme && parameters && bytesEqual(scheme, PBES2)) {
    const derivation = parameters.enter(SEQUENCE);
    scheme = derivation?.read(OBJECT_IDENTIFIER);
    parameters = derivation?.enter(SEQUENCE);
  }
  // PBKDF2, scrypt, and PBES1 with PKCS#12's derivation all begin with the salt and go on with numbers.
  const numbers: bigint[] = [];
  if (parameters?.read(OCTET_STRING)) {
    while (parameters.isNext(INTEGER)) {
      const number = parameters.readUnsigned();
      if (number === undefined || number.length > 8) throw tooCostly('a cost that is no number of 64 bits');
      numbers.push(bytesToBigint(number));
    }
  }
  const [iterations] = numbers;
  if (scheme === undefined || iterations === undefined) {
    throw new CryptoError('invalid_key', 'private key: expected DER of EncryptedPrivateKeyInfo; the file is damaged');
  }
  if (bytesEqual(scheme, SCRYPT)) {
    const steps = numbers.slice(0, 3).reduce((product, number) => product * number, 1n);
    if (steps > MAX_SCRYPT_STEPS) throw tooCostly(`scrypt with N·r·p = ${steps}, expected at most ${MAX_SCRYPT_STEPS}`);
  } else if (iterations > MAX_ITERATIONS) {
    throw tooCostly(`${iterations} iterations, expected at most ${MAX_ITERATIONS}`);
  }
}

function tooCostly(what: string): CryptoError {
  return new CryptoError('invalid_key', `private key: opening it takes ${what}; encrypt it anew with fewer`);
}
