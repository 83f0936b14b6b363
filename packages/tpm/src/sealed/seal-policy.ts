// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, concatBytes } from '@vouchsafe/base';
import { execute } from '../command/execute.ts';
import { tpm2LoadExternal } from '../commands/object.ts';
import { tpm2PolicyAuthorize, tpm2PolicyAuthValue } from '../commands/policy.ts';
import { tpm2VerifySignature } from '../commands/signature.ts';
import { TpmError } from '../error.ts';
import { tpmDigest } from '../hash.ts';
import { nameOf, type PublicArea, publicArea } from '../name.ts';
import type { PcrSelection } from '../pcr-selection.ts';
import type { PcrValue } from '../pcr-values.ts';
import { type Policy, policyAuthorize, policyAuthorizeNv, policyAuthValue, policyPcr, startPolicy } from '../policy.ts';
import type { AuthSession } from '../session/auth-session.ts';
import { withFlushed } from '../session/scope.ts';
import { publicAreaFromSpki } from '../spki.ts';
import type { TpmHash } from '../structures/algorithm.ts';
import { objectAttributes } from '../structures/attributes.ts';
import type { TpmtSignature } from '../structures/signature.ts';
import type { TpmTransport } from '../transport.ts';
import { type PcrlockIndex, type PcrlockPolicy, runPcrlockPolicy } from './pcrlock.ts';
import { policyPcrNow } from './policy-pcr-now.ts';

/**
 * What must hold before a secret opens. The steps are run in this order, which is systemd's (src/shared/tpm2-util.c,
 * tpm2_make_policy_session of version 252, tpm2_build_sealing_policy of 255), so that its tokens and ours have the same
 * digests.
 */
export interface SealPolicy {
  /** The nameAlg of the sealed object, and the hash of the policy's session. */
  readonly hash: TpmHash;
  /** PCRs whose values somebody signs, boot by boot: TPM2_PolicyPCR, then TPM2_PolicyAuthorize. */
  readonly signedPcrs?: SignedPcrs;
  /**
   * An NV index whose owner says which values PCRs may have: TPM2_PolicyAuthorizeNV. Not together with `signedPcrs`: each of
   * the two forgets what came before it.
   */
  readonly pcrlock?: PcrlockIndex;
  /** PCRs that must have the values of when it was sealed: TPM2_PolicyPCR. */
  readonly pcrs?: readonly PcrSelection[];
  /** The authValue must be known: TPM2_PolicyAuthValue. */
  readonly withPin: boolean;
}

export interface SignedPcrs {
  /** DER of the SubjectPublicKeyInfo of the key that signs. */
  readonly spki: Uint8Array;
  readonly pcrs: readonly PcrSelection[];
}

/** A signature by a policy's key: an entry of `.pcrsig`. */
export interface PolicySignature {
  /** Digest of the policy that was signed. */
  readonly policy: Uint8Array;
  readonly signature: TpmtSignature;
}

const EMPTY = new Uint8Array();

/** True where nothing has to hold: the object then opens to whoever has its authValue. */
export function isOpenPolicy({ signedPcrs, pcrlock, pcrs, withPin }: SealPolicy): boolean {
  return signedPcrs === undefined && pcrlock === undefined && pcrs === undefined && !withPin;
}

/**
 * The signing key as TPM2_LoadExternal takes it: its name goes into the policy. systemd, src/shared/tpm2-util.c
 * (openssl_pubkey_to_tpm2_pubkey): SHA-256, decrypt, sign and userWithAuth, an RSA exponent as the number that it is.
 */
export function policyKeyArea(spki: Uint8Array): PublicArea {
  const attributes = objectAttributes('decrypt', 'signEncrypt', 'userWithAuth');
  return publicArea(
    publicAreaFromSpki(spki, { nameAlg: 'sha256', objectAttributes: attributes, rsaDefaultExponent: 'number' }),
  );
}

/**
 * The digest that a sealed object carries.
 * @param values of the PCRs in `pcrs`, as they must be.
 * @throws {TpmError} 'argument_invalid' for signed PCRs and a pcrlock policy at once; as `policyPcr`
 */
export function sealPolicyDigest(policy: SealPolicy, values: readonly PcrValue[]): Uint8Array {
  if (policy.signedPcrs !== undefined && policy.pcrlock !== undefined) {
    throw new TpmError('argument_invalid', 'expected signed PCRs or a pcrlock policy; one forgets the other');
  }
  let digest: Policy = startPolicy(policy.hash);
  if (policy.signedPcrs !== undefined)
    digest = policyAuthorize(digest, nameOf(policyKeyArea(policy.signedPcrs.spki)), EMPTY);
  if (policy.pcrlock !== undefined) digest = policyAuthorizeNv(digest, policy.pcrlock.name);
  if (policy.pcrs !== undefined) digest = policyPcr(digest, policy.pcrs, values);
  if (policy.withPin) digest = policyAuthValue(digest);
  return digest.digest;
}

/** The digest of what a policy's key has to sign for PCRs of these values. */
export function signedPcrPolicy(policy: SealPolicy, values: readonly PcrValue[]): Uint8Array | undefined {
  return policy.signedPcrs && policyPcr(startPolicy(policy.hash), policy.signedPcrs.pcrs, values).digest;
}

/** What runs a policy beside the policy itself. */
export interface PolicyInputs {
  /** Those that are there; the one that was made for the PCRs as they are is taken. */
  readonly signatures: readonly PolicySignature[];
  /** What the NV index of a pcrlock policy vouches for. */
  readonly pcrlock: PcrlockPolicy | undefined;
  /** Values of the PCRs that are signed, as they are. */
  readonly now: readonly PcrValue[];
  readonly ownerAuth: Uint8Array | undefined;
}

/**
 * Runs the policy's steps in a session of kind 'policy'.
 * @throws {TpmError} 'policy_unsigned' when no signature fits; 'argument_invalid' without the pcrlock policy that is needed, or
 * for that of another NV index; as `runPcrlockPolicy`, `execute`
 */
export async function runSealPolicy(
  tpm: TpmTransport,
  policySession: AuthSession,
  policy: SealPolicy,
  { signatures, pcrlock, now, ownerAuth }: PolicyInputs,
): Promise<void> {
  if (policy.signedPcrs !== undefined) {
    await policyPcrNow(tpm, policySession, policy.signedPcrs.pcrs);
    await authorize(tpm, policySession, policy, policy.signedPcrs, signatures, now);
  }
  if (policy.pcrlock !== undefined) {
    if (pcrlock === undefined || !bytesEqual(pcrlock.index.name, policy.pcrlock.name)) {
      const handle = policy.pcrlock.handle.toString(16);
      const found = pcrlock === undefined ? 'none' : `that of 0x${pcrlock.index.handle.toString(16)}`;
      throw new TpmError('argument_invalid', `expected the pcrlock policy of NV index 0x${handle}, found ${found}`);
    }
    await runPcrlockPolicy(tpm, policySession, pcrlock, ownerAuth);
  }
  if (policy.pcrs !== undefined) await policyPcrNow(tpm, policySession, policy.pcrs);
  if (policy.withPin) await execute(tpm, tpm2PolicyAuthValue, { policySession });
}

async function authorize(
  tpm: TpmTransport,
  policySession: AuthSession,
  policy: SealPolicy,
  { spki }: SignedPcrs,
  signatures: readonly PolicySignature[],
  now: readonly PcrValue[],
): Promise<void> {
  const approvedPolicy = signedPcrPolicy(policy, now) ?? EMPTY;
  const found = signatures.find(({ policy: signed }) => bytesEqual(signed, approvedPolicy));
  if (found === undefined) {
    throw new TpmError(
      'policy_unsigned',
      `expected a signature for the PCRs as they are now, found ${signatures.length} for other values`,
    );
  }
  const area = policyKeyArea(spki);
  const { objectHandle } = await execute(tpm, tpm2LoadExternal, {
    inPrivate: undefined,
    inPublic: area,
    hierarchy: 'owner',
  });
  const key = { handle: objectHandle, name: nameOf(area) };
  await withFlushed(tpm, key, async () => {
    // Part 3, section 23.16: what is signed is H(approvedPolicy || policyRef), H being the key's nameAlg.
    const digest = tpmDigest('sha256', concatBytes(approvedPolicy, EMPTY));
    const input = { keyHandle: key, digest, signature: found.signature };
    const { validation } = await execute(tpm, tpm2VerifySignature, input);
    const approved = { approvedPolicy, policyRef: EMPTY, keySign: key.name, checkTicket: validation };
    await execute(tpm, tpm2PolicyAuthorize, { policySession, ...approved });
  });
}
