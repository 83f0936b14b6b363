// SPDX-License-Identifier: Apache-2.0
import { bytesEqual } from '@vouchsafe/base';
import {
  type Certificate,
  decodeCertificate,
  importKey,
  isCertificateSignedBy,
  type KeySource,
  PkiError,
  type SignedData,
  VENDOR_DER,
} from '@vouchsafe/pki';

/** Authorities between a signer and a trusted certificate; Microsoft's chains have two. */
const MAX_CHAIN = 8;
/** Signature checks in all, as names in a chain are free to repeat; a real chain costs three. */
const MAX_CHECKS = 64;

export interface TrustedSigners {
  /** The trusted certificates, and those in the message that lead to one. */
  readonly trusted: readonly Certificate[];
  /** The trusted certificate that another one leads to. */
  anchorOf(certificate: Certificate): Certificate | undefined;
}

/**
 * Which certificates of the message are trusted because a trusted one issued them, directly or through authorities of
 * the message. What UEFI 2.10, 32.5.3.3, asks: any certificate of the chain may be the one in db, so a trusted
 * certificate need be no root. Names, signatures and basicConstraints count; times do not.
 * @throws {PkiError} 'input_limit' when the message has more certificates of the same names than can be tried.
 */
export function signersTrustedThrough(
  signedData: SignedData,
  trusted: readonly Certificate[],
  keys: KeySource | undefined,
): TrustedSigners {
  const anchors = new Map<Certificate, Certificate>(trusted.map((certificate) => [certificate, certificate]));
  let waiting = signedData.certificates.flatMap(decoded);
  // Each pair is looked at once: those who issued something here were tried on what is still waiting.
  let issuers = trusted.filter(mayIssue);
  let checks = 0;
  for (let length = 0; length < MAX_CHAIN && issuers.length > 0; length++) {
    const found: Certificate[] = [];
    for (const certificate of waiting) {
      const issuer = issuers.find((candidate) => {
        if (!isIssuerName(candidate, certificate)) return false;
        if (++checks > MAX_CHECKS) throw tooManyChecks();
        return isIssuedBy(certificate, candidate, keys);
      });
      const anchor = issuer === undefined ? undefined : anchors.get(issuer);
      if (anchor === undefined) continue;
      anchors.set(certificate, anchor);
      found.push(certificate);
    }
    waiting = waiting.filter((certificate) => !anchors.has(certificate));
    issuers = found.filter(mayIssue);
  }
  return { trusted: [...anchors.keys()], anchorOf: (certificate) => anchors.get(certificate) };
}

/** An error, not a chain that was not found: who looks for a forbidden certificate must not take the one for the other. */
function tooManyChecks(): PkiError {
  return new PkiError(
    'input_limit',
    `expected certificates that need at most ${MAX_CHECKS} signature checks, found more`,
  );
}

/** What cannot be decoded cannot be a signer's; that it is there is no fault of the signature. */
function decoded(bytes: Uint8Array): Certificate[] {
  try {
    return [decodeCertificate(bytes, VENDOR_DER)];
  } catch (error) {
    if (error instanceof PkiError) return [];
    throw error;
  }
}

function isIssuerName(issuer: Certificate, certificate: Certificate): boolean {
  return bytesEqual(issuer.subject.bytes, certificate.issuer.bytes) && !bytesEqual(issuer.bytes, certificate.bytes);
}

/** RFC 5280, 6.1.4 (k): otherwise the holder of any certificate below db could issue more. */
function mayIssue(issuer: Certificate): boolean {
  return issuer.extensions.basicConstraints?.isCa === true;
}

function isIssuedBy(certificate: Certificate, issuer: Certificate, keys: KeySource | undefined): boolean {
  try {
    return isCertificateSignedBy(certificate, importKey(issuer.publicKey.bytes, keys));
  } catch (error) {
    if (error instanceof PkiError) return false;
    throw error;
  }
}
