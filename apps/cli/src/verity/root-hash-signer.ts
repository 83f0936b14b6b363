// SPDX-License-Identifier: Apache-2.0
import { decodeCertificates } from '@vouchsafe/pki';
import { verifyRootHashSignature } from '@vouchsafe/verity';
import { readSmallFile } from '../parse.ts';

/**
 * Checks the signature of a root hash.
 * @returns the signer's name.
 * @throws {VerityError} 'signature_invalid', 'signature_malformed': nothing that comes after would mean anything.
 */
export function rootHashSigner(rootHash: Uint8Array, signaturePath: string, certificatePath: string): string {
  const trusted = decodeCertificates(readSmallFile(certificatePath));
  return verifyRootHashSignature(rootHash, readSmallFile(signaturePath), trusted).certificate.subject.text;
}
