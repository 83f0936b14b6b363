// SPDX-License-Identifier: Apache-2.0
import { bytesEqual } from '@vouchsafe/base';
import type { Bank } from '@vouchsafe/manifest';
import { type Signer, signWith } from '@vouchsafe/pki';
import { MeasureError } from '../error.ts';
import type { Pcr11Value } from '../pcr11.ts';
import { type PcrSignature, pcrKeyFingerprint, pcrPolicyOf, SIGNED_PCR } from './pcr-signature.ts';

/**
 * Signs a policy for each value of PCR 11, in their order: what `systemd-measure sign` makes, without a TPM. The signature is
 * deterministic, and an image with it reproducible.
 * @param signers one key, as a signer of each bank's hash: the TPM checks a signature in the hash of the bank.
 * @throws {MeasureError} 'signer_unsuitable' for another scheme than RSASSA-PKCS1-v1_5 with the bank's hash, two keys, or no
 * signer for a bank. @throws {PkiError} 'key_mismatch', and what the signer throws.
 */
export async function signPcrPolicies(
  values: readonly Pcr11Value[],
  signers: ReadonlyMap<Bank, Signer>,
): Promise<PcrSignature[]> {
  const [first] = signers.values();
  const signatures: PcrSignature[] = [];
  for (const value of values) {
    const { bank } = value;
    const signer = requireSigner(bank, signers.get(bank), first);
    const policy = pcrPolicyOf(value);
    const signature = await signWith(signer, policy);
    signatures.push({ bank, pcrs: [SIGNED_PCR], keyFingerprint: pcrKeyFingerprint(signer.spki), policy, signature });
  }
  return signatures;
}

function requireSigner(bank: Bank, signer: Signer | undefined, first: Signer | undefined): Signer {
  const expected = `expected a signer of RSASSA-PKCS1-v1_5 with ${bank} for that bank`;
  if (signer === undefined) throw new MeasureError('signer_unsuitable', `${expected}, found none`);
  const { scheme } = signer;
  if (scheme.kind !== 'rsa-pkcs1' || scheme.hash !== bank) {
    const found = scheme.kind === 'ed25519' ? scheme.kind : `${scheme.kind} with ${scheme.hash}`;
    throw new MeasureError('signer_unsuitable', `${expected}, found ${found}; PCR policies are signed by an RSA key`);
  }
  if (first !== undefined && !bytesEqual(signer.spki, first.spki)) {
    throw new MeasureError('signer_unsuitable', `${expected} of the same key as the others, found another key`);
  }
  return signer;
}
