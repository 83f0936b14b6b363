// SPDX-License-Identifier: Apache-2.0
import { encode, u32be } from '@vouchsafe/codec';
import { tpmHashSize } from '../hash.ts';
import { nvNameOf, nvPublicArea } from '../name.ts';
import { type Policy, policyAuthorizeNv, policyOr, policySecret, startPolicy } from '../policy.ts';
import { TPM_RH } from '../structures/handle.ts';
import { nvAttributes } from '../structures/nv.ts';

/** The hashes that endorsement keys are named by. */
export type EkHash = 'sha256' | 'sha384' | 'sha512';

/** PolicyA: the authValue of the endorsement hierarchy. TCG EK Credential Profile 2.x, annex B; by SHA-256 in B.3.3, template L-1. */
export function ekPolicyA(hash: EkHash): Policy {
  return policySecret(startPolicy(hash), encode(u32be, TPM_RH.endorsement));
}

/** The index that PolicyC reads its policy from. TCG EK Credential Profile 2.x, annex B. */
const POLICY_INDEX: Readonly<Record<EkHash, number>> = {
  sha256: 0x01c0_7f01,
  sha384: 0x01c0_7f02,
  sha512: 0x01c0_7f03,
};

/** PolicyC: whatever policy an NV index of the maker holds. TCG EK Credential Profile 2.x, annex B. */
function ekPolicyC(hash: EkHash): Policy {
  const attributes = nvAttributes(
    'ordinary',
    'policyWrite',
    'writeAll',
    'ppRead',
    'ownerRead',
    'authRead',
    'policyRead',
    'noDA',
    'written',
  );
  const area = nvPublicArea({
    nvIndex: POLICY_INDEX[hash],
    nameAlg: hash,
    attributes,
    authPolicy: ekPolicyA(hash).digest,
    dataSize: 2 + tpmHashSize(hash), // a TPMT_HA
  });
  return policyAuthorizeNv(startPolicy(hash), nvNameOf(area));
}

/** The branches of PolicyB, in order: what TPM2_PolicyOR takes. */
export function ekPolicyBBranches(hash: EkHash): [Uint8Array, Uint8Array] {
  return [ekPolicyA(hash).digest, ekPolicyC(hash).digest];
}

/** PolicyB: PolicyA or PolicyC. TCG EK Credential Profile 2.x, annex B. */
export function ekPolicyB(hash: EkHash): Policy {
  return policyOr(startPolicy(hash), ekPolicyBBranches(hash));
}
