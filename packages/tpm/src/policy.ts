// SPDX-License-Identifier: Apache-2.0
import { concatBytes } from '@vouchsafe/base';
import { encode, u16be, u32be } from '@vouchsafe/codec';
import { TpmError } from './error.ts';
import { tpmDigest, tpmHashSize } from './hash.ts';
import { encodePcrSelection, type PcrSelection } from './pcr-selection.ts';
import { type PcrValue, pcrDigestOf } from './pcr-values.ts';
import type { TpmHash } from './structures/algorithm.ts';
import { TPM_CC } from './structures/command-code.ts';
import { tpmlPcrSelection } from './structures/pcr.ts';
import { TPM_EO, type TpmEo } from './structures/session.ts';

/** A policy digest as a TPM's session holds it while policy commands run. TPM 2.0 Library, Part 1, section 19.7. */
export interface Policy {
  /** The session's hash, which is the nameAlg of the objects that the policy is for. */
  readonly hash: TpmHash;
  readonly digest: Uint8Array;
}

/** An empty policy: a digest of zeros. TPM 2.0 Library, Part 3, section 11.1 (TPM2_StartAuthSession). */
export function startPolicy(hash: TpmHash): Policy {
  return { hash, digest: new Uint8Array(tpmHashSize(hash)) };
}

/** H(old || parts). */
const extend = ({ hash, digest }: Policy, ...parts: readonly Uint8Array[]): Policy => ({
  hash,
  digest: tpmDigest(hash, concatBytes(digest, ...parts)),
});

const code = (name: keyof typeof TPM_CC): Uint8Array => encode(u32be, TPM_CC[name]);

/** H(H(old || code || name) || policyRef). TPM 2.0 Library, Part 3, section 23.2.3 (PolicyUpdate). */
function extendByName(policy: Policy, name: keyof typeof TPM_CC, entity: Uint8Array, policyRef: Uint8Array): Policy {
  if (entity.length === 0) throw new TpmError('argument_invalid', "expected the entity's name, found no octets");
  return extend(extend(policy, code(name), entity), policyRef);
}

const NO_REF = new Uint8Array();

/**
 * TPM2_PolicyPCR: the PCRs have these values. TPM 2.0 Library, Part 3, section 23.7:
 * H(old || TPM_CC_PolicyPCR || pcrs || pcrDigest), pcrDigest by the policy's hash whatever the bank.
 * @throws {TpmError} as `pcrDigestOf`
 */
export function policyPcr(policy: Policy, selections: readonly PcrSelection[], values: readonly PcrValue[]): Policy {
  return policyPcrDigest(policy, selections, pcrDigestOf(policy.hash, selections, values));
}

/** As `policyPcr`, for a caller that has the digest over the values alone. */
export function policyPcrDigest(policy: Policy, selections: readonly PcrSelection[], pcrDigest: Uint8Array): Policy {
  const wire = encode(tpmlPcrSelection, selections.map(encodePcrSelection));
  return extend(policy, code('policyPcr'), wire, pcrDigest);
}

/**
 * TPM2_PolicyAuthorize: whatever policy the key has signed, so that what came before is forgotten. TPM 2.0 Library, Part
 * 3, section 23.16: H(H(zeros || TPM_CC_PolicyAuthorize || keyName) || policyRef).
 * @param keyName name of the signing key, see `nameOf`
 * @param policyRef what the signer puts beside the policy it approves; often empty
 * @throws {TpmError} 'argument_invalid' without a name
 */
export function policyAuthorize(policy: Policy, keyName: Uint8Array, policyRef: Uint8Array): Policy {
  return extendByName(startPolicy(policy.hash), 'policyAuthorize', keyName, policyRef);
}

/**
 * What a key signs for TPM2_PolicyAuthorize: H(approvedPolicy || policyRef), by the signature's hash. TPM 2.0 Library,
 * Part 3, section 23.16.
 */
export function authorizedPolicyDigest(
  hash: TpmHash,
  approvedPolicy: Uint8Array,
  policyRef: Uint8Array = NO_REF,
): Uint8Array {
  return tpmDigest(hash, concatBytes(approvedPolicy, policyRef));
}

/**
 * TPM2_PolicySigned: the key signs each use. TPM 2.0 Library, Part 3, section 23.3.
 * @throws {TpmError} 'argument_invalid' without a name
 */
export function policySigned(policy: Policy, keyName: Uint8Array, policyRef: Uint8Array = NO_REF): Policy {
  return extendByName(policy, 'policySigned', keyName, policyRef);
}

/**
 * TPM2_PolicySecret: another entity's authValue is known. TPM 2.0 Library, Part 3, section 23.4.
 * @param entityName of an object or NV index its name; of a hierarchy its handle in four octets
 * @throws {TpmError} 'argument_invalid' without a name
 */
export function policySecret(policy: Policy, entityName: Uint8Array, policyRef: Uint8Array = NO_REF): Policy {
  return extendByName(policy, 'policySecret', entityName, policyRef);
}

/** TPM2_PolicyOR takes this many branches. TPM 2.0 Library, Part 3, section 23.6. */
const MIN_BRANCHES = 2;
const MAX_BRANCHES = 8;

/**
 * TPM2_PolicyOR: one of these. What came before is forgotten: it is in the branches. TPM 2.0 Library, Part 3, section
 * 23.6: H(zeros || TPM_CC_PolicyOR || digests).
 * @throws {TpmError} 'argument_invalid' for fewer than 2 or more than 8, or a digest of another length than the policy's
 */
export function policyOr(policy: Policy, branches: readonly Uint8Array[]): Policy {
  const size = tpmHashSize(policy.hash);
  if (branches.length < MIN_BRANCHES || branches.length > MAX_BRANCHES || branches.some((b) => b.length !== size)) {
    const expected = `expected ${MIN_BRANCHES} to ${MAX_BRANCHES} policies of ${size} octets`;
    throw new TpmError('argument_invalid', `${expected}, found ${branches.length}; an OR may be a branch of another`);
  }
  return extend(startPolicy(policy.hash), code('policyOr'), ...branches);
}

/** TPM2_PolicyAuthValue: the object's authValue, by HMAC. TPM 2.0 Library, Part 3, section 23.17. */
export function policyAuthValue(policy: Policy): Policy {
  return extend(policy, code('policyAuthValue'));
}

/** TPM2_PolicyPassword has the digest of TPM2_PolicyAuthValue. TPM 2.0 Library, Part 3, section 23.18. */
export function policyPassword(policy: Policy): Policy {
  return policyAuthValue(policy);
}

/** TPM2_PolicyCommandCode: for one command alone. TPM 2.0 Library, Part 3, section 23.11. */
export function policyCommandCode(policy: Policy, commandCode: number): Policy {
  return extend(policy, code('policyCommandCode'), encode(u32be, commandCode));
}

/** TPM2_PolicyLocality. TPM 2.0 Library, Part 3, section 23.8. @param locality TPMA_LOCALITY */
export function policyLocality(policy: Policy, locality: number): Policy {
  return extend(policy, code('policyLocality'), Uint8Array.of(locality));
}

/** A comparison of NV contents or of the clock. */
export interface Comparison {
  readonly operandB: Uint8Array;
  /** Where operand A begins. */
  readonly offset: number;
  readonly operation: TpmEo;
}

function comparisonArgs(hash: TpmHash, { operandB, offset, operation }: Comparison): Uint8Array {
  return tpmDigest(hash, concatBytes(operandB, encode(u16be, offset), encode(u16be, TPM_EO[operation])));
}

/**
 * TPM2_PolicyNV: NV contents compare so. TPM 2.0 Library, Part 3, section 23.9: H(old || TPM_CC_PolicyNV || args ||
 * name of the index), args = H(operandB || offset || operation). The name is that of the index as it is when the policy
 * runs: written, above all.
 */
export function policyNv(policy: Policy, nvName: Uint8Array, comparison: Comparison): Policy {
  return extend(policy, code('policyNv'), comparisonArgs(policy.hash, comparison), nvName);
}

/** TPM2_PolicyCounterTimer: clock or counters compare so. TPM 2.0 Library, Part 3, section 23.10. */
export function policyCounterTimer(policy: Policy, comparison: Comparison): Policy {
  return extend(policy, code('policyCounterTimer'), comparisonArgs(policy.hash, comparison));
}

/** TPM2_PolicyPhysicalPresence. TPM 2.0 Library, Part 3, section 23.12. */
export function policyPhysicalPresence(policy: Policy): Policy {
  return extend(policy, code('policyPhysicalPresence'));
}

/** TPM2_PolicyCpHash: for one command with these parameters. TPM 2.0 Library, Part 3, section 23.13. */
export function policyCpHash(policy: Policy, cpHash: Uint8Array): Policy {
  return extend(policy, code('policyCpHash'), cpHash);
}

/** TPM2_PolicyNameHash: for these entities. TPM 2.0 Library, Part 3, section 23.14. @param nameHash H(names) */
export function policyNameHash(policy: Policy, nameHash: Uint8Array): Policy {
  return extend(policy, code('policyNameHash'), nameHash);
}

/** TPM2_PolicyTemplate: to make objects of this template alone. TPM 2.0 Library, Part 3, section 23.21. */
export function policyTemplate(policy: Policy, templateHash: Uint8Array): Policy {
  return extend(policy, code('policyTemplate'), templateHash);
}

/**
 * TPM2_PolicyDuplicationSelect: to this new parent alone. TPM 2.0 Library, Part 3, section 23.15.
 * @param objectName given where it is part of the policy (includeObject)
 */
export function policyDuplicationSelect(policy: Policy, newParentName: Uint8Array, objectName?: Uint8Array): Policy {
  const isIncluded = objectName !== undefined;
  const object = objectName ?? new Uint8Array();
  return extend(policy, code('policyDuplicationSelect'), object, newParentName, Uint8Array.of(isIncluded ? 1 : 0));
}

/** TPM2_PolicyNvWritten: the index was, or was not, written. TPM 2.0 Library, Part 3, section 23.20. */
export function policyNvWritten(policy: Policy, isWritten: boolean): Policy {
  return extend(policy, code('policyNvWritten'), Uint8Array.of(isWritten ? 1 : 0));
}

/**
 * TPM2_PolicyAuthorizeNV: the policy that an NV index holds; what came before is forgotten. TPM 2.0 Library, Part 3,
 * section 23.22: H(zeros || TPM_CC_PolicyAuthorizeNV || name of the index).
 */
export function policyAuthorizeNv(policy: Policy, nvName: Uint8Array): Policy {
  return extend(startPolicy(policy.hash), code('policyAuthorizeNv'), nvName);
}
