// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, toHex } from '@vouchsafe/base';
import { type Certificate, decodeCertificate, decodeSignedData, PkiError, VENDOR_DER } from '@vouchsafe/pki';
import { VerityError, verifyRootHashSignature } from '@vouchsafe/verity';
import type { VeritySet } from '../ddi/verity-sets.ts';
import { diskFinding, type ImageFinding } from './findings.ts';
import { placeOf } from './verity-set.ts';

export interface CheckedSignature {
  readonly findings: readonly ImageFinding[];
  /** The subject of the trusted certificate whose key signed. */
  readonly signedBy: string | undefined;
}

/**
 * Whether the signature beside a tree is of its root hash, holds, and is by somebody trusted.
 * @param trusted without any, the certificates in the signature are believed, and that is said.
 */
export function checkRootHashSignature(
  artefact: string,
  { hash, rootHash, signature, signed }: VeritySet,
  trusted: readonly Certificate[],
): CheckedSignature {
  if (signature === undefined || signed === undefined) {
    // Where somebody is named who must have signed, that there is no signature is no matter of taste.
    const missing = diskFinding('root_hash_unsigned', placeOf(artefact, hash), { actual: toHex(rootHash) });
    return { findings: [trusted.length === 0 ? missing : { ...missing, severity: 'error' }], signedBy: undefined };
  }
  const where = placeOf(artefact, signature);
  const failed = (values: { readonly expected?: string; readonly actual: string; readonly hint?: string }) => {
    return { findings: [diskFinding('root_hash_signature', where, values)], signedBy: undefined };
  };
  if (!bytesEqual(signed.rootHash, rootHash))
    return failed({ expected: toHex(rootHash), actual: toHex(signed.rootHash) });
  try {
    const signers = trusted.length > 0 ? trusted : carried(signed.signature);
    const { certificate } = verifyRootHashSignature(rootHash, signed.signature, signers);
    const { text } = certificate.subject;
    if (trusted.length > 0) return { findings: [], signedBy: text };
    return { findings: [diskFinding('root_hash_signer_unknown', where, { actual: text })], signedBy: undefined };
  } catch (error) {
    if (!(error instanceof VerityError || error instanceof PkiError)) throw error;
    return failed({ actual: error.code, hint: error.message });
  }
}

function carried(signature: Uint8Array): Certificate[] {
  return decodeSignedData(signature).certificates.map((der) => decodeCertificate(der, VENDOR_DER));
}
