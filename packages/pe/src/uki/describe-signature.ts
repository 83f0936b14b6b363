// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import type { DigestAlgorithm } from '@vouchsafe/crypto';
import {
  type Certificate,
  decodeCertificate,
  decodeTime,
  fingerprintOf,
  OID,
  PkiError,
  type SignedData,
  VENDOR_DER,
} from '@vouchsafe/pki';
import type { SignatureEntry } from '../authenticode/signature.ts';

/** A certificate in a signature. */
export interface CertificateDescription {
  /** RFC 4514. */
  readonly subject: string;
  readonly issuer: string;
  /** SHA-256 of the DER, in lower-case hexadecimal. */
  readonly fingerprint: string;
  /** Milliseconds since 1970; firmware looks at neither. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** A signature as it stands in the file; nothing in it is verified. */
export interface SignatureDescription {
  /** File offset of its entry. */
  readonly offset: number;
  /** Why it is no Authenticode signature; undefined when it is one, and then the rest is there. */
  readonly error: string | undefined;
  /** Of the file, in lower-case hexadecimal. */
  readonly digest: { readonly algorithm: DigestAlgorithm; readonly value: string } | undefined;
  readonly signers: readonly SignerDescription[];
  /** Those that can be read, in their order. */
  readonly certificates: readonly CertificateDescription[];
}

export interface SignerDescription {
  /** The issuer's name and the serial number, or the key identifier, that the signer is found by. */
  readonly identifier: string;
  /** By the signer's word; milliseconds since 1970. Undefined when it has none. */
  readonly signingTimeMs: number | undefined;
}

export function describeSignature({ entry, signature, error }: SignatureEntry): SignatureDescription {
  const { offset } = entry;
  if (signature === undefined) {
    return { offset, error: error.message, digest: undefined, signers: [], certificates: [] };
  }
  const { indirectData, signedData } = signature;
  return {
    offset,
    error: undefined,
    digest: { algorithm: indirectData.digestAlgorithm, value: toHex(indirectData.digest) },
    signers: signedData.signers.map(describeSigner),
    certificates: signedData.certificates.flatMap(describeCertificate),
  };
}

function describeSigner({ signerIdentifier, signedAttributes }: SignedData['signers'][number]): SignerDescription {
  const identifier =
    signerIdentifier.kind === 'issuerAndSerial'
      ? `${signerIdentifier.issuer.text}, serial number ${toHex(signerIdentifier.serialBytes)}`
      : `key ${toHex(signerIdentifier.keyIdentifier)}`;
  const [time] = signedAttributes?.list.find(({ oid }) => oid === OID.signingTime)?.values ?? [];
  return { identifier, signingTimeMs: time === undefined ? undefined : orNothing(() => decodeTime(time)) };
}

function describeCertificate(bytes: Uint8Array): CertificateDescription[] {
  const certificate = orNothing((): Certificate => decodeCertificate(bytes, VENDOR_DER));
  if (certificate === undefined) return [];
  const { subject, issuer, validity } = certificate;
  return [{ subject: subject.text, issuer: issuer.text, fingerprint: toHex(fingerprintOf(certificate)), ...validity }];
}

/** What cannot be read is left out: it is shown, not relied on. */
function orNothing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof PkiError) return undefined;
    throw error;
  }
}
