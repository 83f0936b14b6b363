// SPDX-License-Identifier: Apache-2.0
import { concatBytes } from '@vouchsafe/base';
import { encode, u32be } from '@vouchsafe/codec';
import { TpmError } from './error.ts';
import { tpmDigest, tpmHashSize } from './hash.ts';
import { encodePcrSelection, type PcrSelection } from './pcr-selection.ts';
import { type PcrValue, pcrDigestOf } from './pcr-values.ts';
import type { TpmHash } from './structures/algorithm.ts';
import { tpmlPcrSelection } from './structures/pcr.ts';

/** A policy digest as a TPM's session holds it while policy commands run. TPM 2.0 Library, Part 1, section 19.7. */
export interface Policy {
  /** The session's hash, which is the nameAlg of the objects that the policy is for. */
  readonly hash: TpmHash;
  readonly digest: Uint8Array;
}

/** TPM_CC of the policy commands, which go into the digest. TPM 2.0 Library, Part 2, section 6.5.2. */
const CC_POLICY_AUTHORIZE = 0x0000_016a;
const CC_POLICY_PCR = 0x0000_017f;

/** An empty policy: a digest of zeros. TPM 2.0 Library, Part 3, section 11.1 (TPM2_StartAuthSession). */
export function startPolicy(hash: TpmHash): Policy {
  return { hash, digest: new Uint8Array(tpmHashSize(hash)) };
}

const extend = ({ hash }: Policy, ...parts: readonly Uint8Array[]): Policy => ({
  hash,
  digest: tpmDigest(hash, concatBytes(...parts)),
});

/**
 * TPM2_PolicyPCR: the PCRs have these values. TPM 2.0 Library, Part 3, section 23.7:
 * H(old || TPM_CC_PolicyPCR || pcrs || pcrDigest), pcrDigest by the policy's hash whatever the bank.
 * @throws {TpmError} as `pcrDigestOf`
 */
export function policyPcr(policy: Policy, selections: readonly PcrSelection[], values: readonly PcrValue[]): Policy {
  const wire = encode(tpmlPcrSelection, selections.map(encodePcrSelection));
  const pcrDigest = pcrDigestOf(policy.hash, selections, values);
  return extend(policy, policy.digest, encode(u32be, CC_POLICY_PCR), wire, pcrDigest);
}

/**
 * TPM2_PolicyAuthorize: whatever policy the key has signed, so that what came before is forgotten. TPM 2.0 Library, Part
 * 3, section 23.16: H(H(zeros || TPM_CC_PolicyAuthorize || keyName) || policyRef).
 * @param keyName name of the signing key, see `nameOf`
 * @param policyRef what the signer puts beside the policy it approves; often empty
 * @throws {TpmError} 'argument_invalid' without a name
 */
export function policyAuthorize(policy: Policy, keyName: Uint8Array, policyRef: Uint8Array): Policy {
  if (keyName.length === 0) throw new TpmError('argument_invalid', "expected the signing key's name, found no octets");
  const { digest } = startPolicy(policy.hash);
  const named = extend(policy, digest, encode(u32be, CC_POLICY_AUTHORIZE), keyName);
  return extend(named, named.digest, policyRef);
}
