// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import type { PrivateKeyInput } from 'node:crypto';
import { DerReader, INTEGER, SEQUENCE } from '../der.ts';
import { CryptoError } from '../error.ts';
import { requireAffordableKdf } from './kdf-cost.ts';

/**
 * Of a file with a private key in it: RSA of 16,384 bits takes 13 KB in PEM, and certificates may stand beside the key.
 */
const MAX_KEY_FILE_BYTES = 262_144;

export interface FoundPrivateKey {
  /** What node:crypto reads. */
  readonly input: PrivateKeyInput;
  readonly isEncrypted: boolean;
}

/** RFC 7468, sections 10 and 11 (PKCS#8); RFC 5915, section 4 (SEC1); PKCS#1's label is OpenSSL's. */
const PRIVATE_KEY_LABELS = ['PRIVATE KEY', 'ENCRYPTED PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY'];

/**
 * The one private key in the bytes of a file.
 * @throws {CryptoError} 'invalid_key' when there is none, or more than one; 'unsupported' for OpenSSH's own format
 */
export function findPrivateKey(bytes: Uint8Array): FoundPrivateKey {
  if (bytes.length > MAX_KEY_FILE_BYTES) {
    throw invalid(`expected a file of at most ${MAX_KEY_FILE_BYTES} octets, found ${bytes.length}`);
  }
  return bytes[0] === SEQUENCE ? fromDer(bytes) : fromPem(Buffer.from(bytes).toString('latin1'));
}

/** PrivateKeyInfo or EncryptedPrivateKeyInfo. RFC 5958, sections 2 and 3. */
function fromDer(bytes: Uint8Array): FoundPrivateKey {
  const outer = new DerReader(bytes);
  const sequence = outer.enter(SEQUENCE);
  if (!sequence || !outer.done) throw invalid('expected DER of PKCS#8 and nothing after it');
  // The plain one begins with its version, the encrypted one with an AlgorithmIdentifier.
  const isEncrypted = !sequence.isNext(INTEGER);
  if (isEncrypted) requireAffordableKdf(bytes);
  return { input: { key: Buffer.from(bytes), format: 'der', type: 'pkcs8' }, isEncrypted };
}

function fromPem(text: string): FoundPrivateKey {
  // Other blocks (EC PARAMETERS, certificates) and the text around them are passed over, as OpenSSL does.
  const labels = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]{1,64})-----/g)];
  const found = labels.filter(([, label]) => PRIVATE_KEY_LABELS.includes(label!));
  const [begin] = found;
  if (begin === undefined || found.length > 1)
    throw notOneKey(
      labels.map(([, label]) => label!),
      found.length,
    );
  const label = begin[1]!;
  const start = begin.index + begin[0].length;
  const endLine = `-----END ${label}-----`;
  const end = text.indexOf(endLine, start);
  if (end < 0) throw invalid(`expected the line ${endLine}; the file is cut short`);
  const body = text.slice(start, end);
  const key = `${begin[0]}${body}${endLine}\n`;
  if (label === 'ENCRYPTED PRIVATE KEY') {
    requireAffordableKdf(Buffer.from(body, 'base64'));
    return { input: { key, format: 'pem' }, isEncrypted: true };
  }
  // RFC 1421, section 4.6.1.1; its key derivation is one round of MD5, so its cost needs no bound.
  return { input: { key, format: 'pem' }, isEncrypted: /^Proc-Type:\s*4,\s*ENCRYPTED/m.test(body) };
}

function notOneKey(labels: readonly string[], count: number): CryptoError {
  if (count > 1) return invalid(`expected one private key in the file, found ${count}; keep each in a file of its own`);
  if (labels.includes('OPENSSH PRIVATE KEY')) {
    const message = 'private key: OpenSSH format is not read; convert a copy with ssh-keygen -p -m PKCS8';
    return new CryptoError('unsupported', message);
  }
  const found = labels.length === 0 ? 'no PEM block' : labels.slice(0, 4).join(', ');
  return invalid(`expected PEM of a private key, or DER of PKCS#8, found ${found}`);
}

function invalid(message: string): CryptoError {
  return new CryptoError('invalid_key', `private key: ${message}`);
}
