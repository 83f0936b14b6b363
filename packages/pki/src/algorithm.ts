// SPDX-License-Identifier: Apache-2.0
import type { DigestAlgorithm } from '@vouchsafe/crypto';
import type { DerElement } from './der/element.ts';
import { requireNull } from './der/primitive.ts';
import type { DerReader } from './der/reader.ts';
import { TAG, tagName } from './der/tag.ts';
import { encodeNull, encodeOid, encodeSequence } from './der/writer.ts';
import { PkiError } from './error.ts';
import { formatOid, OID } from './oid.ts';

/** AlgorithmIdentifier. RFC 5280, 4.1.1.2. */
export interface AlgorithmIdentifier {
  readonly oid: string;
  readonly element: DerElement;
  readonly parameters?: DerElement;
}

/** RFC 5754, 2; NIST CSOR for SHA-3. */
const DIGESTS: ReadonlyMap<string, DigestAlgorithm> = new Map([
  [OID.sha1, 'sha1'],
  [OID.sha224, 'sha224'],
  [OID.sha256, 'sha256'],
  [OID.sha384, 'sha384'],
  [OID.sha512, 'sha512'],
  [OID.sha3_224, 'sha3-224'],
  [OID.sha3_256, 'sha3-256'],
  [OID.sha3_384, 'sha3-384'],
  [OID.sha3_512, 'sha3-512'],
]);

/** The next AlgorithmIdentifier; any algorithm, known or not. */
export function readAlgorithm(reader: DerReader, field: string, tag: number = TAG.sequence): AlgorithmIdentifier {
  return algorithmIn(reader.readSequence(field, tag));
}

/** The AlgorithmIdentifier that the reader stands in. */
export function algorithmIn(sequence: DerReader): AlgorithmIdentifier {
  const oid = sequence.readOid('algorithm');
  const parameters = sequence.isAtEnd ? undefined : sequence.read('parameters');
  sequence.end();
  return { oid, element: sequence.element, ...(parameters === undefined ? {} : { parameters }) };
}

/**
 * The digest that an AlgorithmIdentifier names.
 * @throws {PkiError} 'unsupported', 'der_value' and 'der_tag' for parameters other than NULL.
 */
export function digestOf(algorithm: AlgorithmIdentifier): DigestAlgorithm {
  const digest = DIGESTS.get(algorithm.oid);
  if (digest === undefined) throw unsupportedAlgorithm(algorithm, 'a digest algorithm');
  requireNoParameters(algorithm);
  return digest;
}

/** With NULL, as OpenSSL and the kernel's signing tools write it; RFC 5754, 2, makes readers take both forms. */
export function encodeDigestAlgorithm(digest: DigestAlgorithm): Uint8Array {
  return encodeSequence(encodeOid(oidOf(DIGESTS, digest)), encodeNull());
}

/** @throws {PkiError} 'unsupported' when the table does not have the digest. */
export function oidOf(table: ReadonlyMap<string, DigestAlgorithm>, digest: DigestAlgorithm): string {
  for (const [oid, name] of table) if (name === digest) return oid;
  throw new PkiError('unsupported', `${digest} has no identifier for this use; take sha256, sha384 or sha512`);
}

/** Absent or NULL: issuers confuse the two, and neither carries a meaning that an attacker could choose. */
export function requireNoParameters({ parameters }: AlgorithmIdentifier): void {
  if (parameters === undefined) return;
  if (parameters.tag !== TAG.null) {
    const { path, offset } = parameters;
    throw new PkiError('der_tag', `expected NULL or nothing, found ${tagName(parameters.tag)}`, { path, offset });
  }
  requireNull(parameters);
}

export function unsupportedAlgorithm({ oid, element: { path, offset } }: AlgorithmIdentifier, what: string): PkiError {
  return new PkiError('unsupported', `expected ${what} that is known here, found ${formatOid(oid)}`, { path, offset });
}
