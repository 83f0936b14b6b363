// SPDX-License-Identifier: Apache-2.0
import { type DigestAlgorithm, digestSize, type SignatureScheme } from '@vouchsafe/crypto';
import { type AlgorithmIdentifier, algorithmIn, digestOf, encodeDigestAlgorithm } from './algorithm.ts';
import { type DerReader, reopenDer } from './der/reader.ts';
import { contextTag } from './der/tag.ts';
import { encodeElement, encodeInteger, encodeOid, encodeSequence } from './der/writer.ts';
import { PkiError } from './error.ts';
import { formatOid, OID } from './oid.ts';

/** RFC 4055, 3.1: what absent fields stand for. */
const DEFAULT_HASH: DigestAlgorithm = 'sha1';
const DEFAULT_SALT_SIZE = 20;
/** The largest digest is 64 octets, and nobody takes more salt; an RSA-4096 signature has room for 446. */
const MAX_SALT_SIZE = 446;

/**
 * RSASSA-PSS-params. RFC 4055, 3.1. A field that is present with its default value is taken: it cannot mislead.
 * @throws {PkiError} 'unsupported' for another mask function than MGF1 with the signature's own digest.
 */
export function decodePssParameters({ element, parameters }: AlgorithmIdentifier): SignatureScheme {
  const { path, offset } = parameters ?? element;
  if (parameters === undefined)
    throw new PkiError('der_tag', 'expected RSASSA-PSS-params, found the end', { path, offset });
  const fields = reopenDer(parameters);
  const hash = readDigest(readTagged(fields, 'hashAlgorithm', 0));
  const maskHash = readMaskDigest(readTagged(fields, 'maskGenAlgorithm', 1));
  const saltSize = readSmall(readTagged(fields, 'saltLength', 2), DEFAULT_SALT_SIZE);
  const trailer = readSmall(readTagged(fields, 'trailerField', 3), 1);
  fields.end();
  if (maskHash !== hash)
    throw new PkiError('unsupported', `expected MGF1 with ${hash}, found ${maskHash}`, { path, offset });
  if (trailer !== 1) throw new PkiError('unsupported', `expected trailerField 1, found ${trailer}`, { path, offset });
  return { kind: 'rsa-pss', hash, saltSize };
}

/** @throws {PkiError} 'argument_invalid' for a salt of any size, which cannot be written. */
export function encodePssParameters(hash: DigestAlgorithm, saltSize: number | 'any'): Uint8Array {
  if (saltSize === 'any') {
    throw new PkiError('argument_invalid', `expected a salt size in octets to sign with; take ${digestSize(hash)}`);
  }
  const digest = encodeDigestAlgorithm(hash);
  return encodeSequence(
    encodeElement(contextTag(0, 'constructed'), digest),
    encodeElement(contextTag(1, 'constructed'), encodeSequence(encodeOid(OID.mgf1), digest)),
    encodeElement(contextTag(2, 'constructed'), encodeInteger(BigInt(saltSize))),
  );
}

function readTagged(fields: DerReader, field: string, number: number): DerReader | undefined {
  const element = fields.readOptional(field, contextTag(number, 'constructed'));
  return element === undefined ? undefined : fields.enter(element);
}

function readDigest(reader: DerReader | undefined): DigestAlgorithm {
  if (reader === undefined) return DEFAULT_HASH;
  const digest = digestOf(algorithmIn(reader.readSequence('algorithm')));
  reader.end();
  return digest;
}

function readMaskDigest(reader: DerReader | undefined): DigestAlgorithm {
  if (reader === undefined) return DEFAULT_HASH;
  const mask = reader.readSequence('maskGenAlgorithm');
  const oid = mask.readOid('algorithm');
  if (oid !== OID.mgf1) throw mask.error('unsupported', 'algorithm', `expected MGF1, found ${formatOid(oid)}`);
  const digest = digestOf(algorithmIn(mask.readSequence('parameters')));
  mask.end();
  reader.end();
  return digest;
}

function readSmall(reader: DerReader | undefined, absent: number): number {
  if (reader === undefined) return absent;
  const value = reader.readInteger('value');
  reader.end();
  if (value < 0n || value > BigInt(MAX_SALT_SIZE)) {
    throw reader.error('der_value', 'value', `expected 0 to ${MAX_SALT_SIZE}, found ${value}`, reader.element);
  }
  return Number(value);
}
