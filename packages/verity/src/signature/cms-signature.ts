// SPDX-License-Identifier: Apache-2.0
import {
  type Certificate,
  decodeSignedData,
  OID,
  PkiError,
  type SignedData,
  type Signer,
  signDetached,
  verifySignedData,
} from '@vouchsafe/pki';
import { VerityError } from '../error.ts';

/** How a signature over a root hash or a file digest is written. */
export interface SignOptions {
  /**
   * Whether the certificate goes into the signature. systemd-repart puts it there, fsverity(1) does not; the kernel looks
   * for the key in its keyring either way.
   */
  readonly includeCertificate: boolean;
}

/**
 * A detached CMS signature without signed attributes, as the kernel takes it with the keys of its keyrings. Linux,
 * crypto/asymmetric_keys/pkcs7_parser.c; certs/system_keyring.c, verify_pkcs7_signature.
 * @throws {VerityError} 'options_invalid' for another scheme than RSA PKCS#1 v1.5: a signature in an image must come out the
 * same each time, and not every kernel in use knows the others.
 * @throws {PkiError} as signDetached does.
 */
export async function signForKernel(content: Uint8Array, signer: Signer, options: SignOptions): Promise<Uint8Array> {
  if (signer.scheme.kind !== 'rsa-pkcs1') {
    const message = `expected an RSA key that signs by PKCS#1 v1.5, found ${signer.scheme.kind}; make an RSA key for this`;
    throw new VerityError('options_invalid', message);
  }
  return signDetached(content, signer, options);
}

/**
 * The certificate, among the trusted, by whose key the content was signed; with signed attributes or without, as the kernel
 * and systemd take both.
 * @throws {VerityError} 'signature_malformed', 'signature_invalid', each with the PkiError as cause.
 */
export function verifyForKernel(
  content: Uint8Array,
  signature: Uint8Array,
  trusted: readonly Certificate[],
  what: string,
): Certificate {
  const signedData = decodeSignature(signature, what);
  // RFC 2315, 9.1 with PKCS7_DETACHED: a content of its own would say nothing about this one.
  if (signedData.content !== undefined || signedData.contentType !== OID.data) {
    throw new VerityError(
      'signature_malformed',
      `${what}: expected a detached signature over data, found another CMS message`,
    );
  }
  try {
    return verifySignedData(signedData, { trusted, content }).signers[0].certificate;
  } catch (cause) {
    if (!(cause instanceof PkiError)) throw cause;
    throw new VerityError('signature_invalid', `${what}: ${cause.message}`, { cause });
  }
}

function decodeSignature(signature: Uint8Array, what: string): SignedData {
  try {
    return decodeSignedData(signature);
  } catch (cause) {
    if (!(cause instanceof PkiError)) throw cause;
    throw new VerityError('signature_malformed', `${what}: expected a CMS signature: ${cause.message}`, { cause });
  }
}
