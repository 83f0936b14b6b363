// SPDX-License-Identifier: Apache-2.0
import { TpmError } from '../error.ts';
import { createObject, type WrappedObject } from '../local/objects.ts';
import type { PcrValue } from '../pcr-values.ts';
import type { RandomSource } from '../secret-sharing.ts';
import { withSession } from '../session/scope.ts';
import { changedArea, sealedTemplate } from '../templates.ts';
import type { TpmTransport } from '../transport.ts';
import { explained } from './explained.ts';
import { type SealParent, withParent } from './parent.ts';
import { isOpenPolicy, type SealPolicy, sealPolicyDigest } from './seal-policy.ts';

/** A secret that only one TPM opens, and only where its policy holds. */
export interface SealedObject extends WrappedObject {
  /**
   * The contents of a TPM2B_ENCRYPTED_SECRET, of an object that was made without the TPM and has to be imported. Absent for
   * one that this TPM made.
   */
  readonly seed?: Uint8Array;
  readonly parent: SealParent;
  readonly policy: SealPolicy;
}

/** Octets of a secret. TPM 2.0 Library, Part 2, section 11.1.14 (MAX_SYM_DATA). */
export const MAX_SEALED_BYTES = 128;

export interface SealInput {
  readonly secret: Uint8Array;
  readonly parent: SealParent;
  readonly policy: SealPolicy;
  /** Values of the PCRs in `policy.pcrs` under which it is to open: predicted ones, or those of now. */
  readonly values: readonly PcrValue[];
  /** The authValue, where the policy has a PIN. */
  readonly auth?: Uint8Array;
  readonly ownerAuth?: Uint8Array;
  readonly random: RandomSource;
}

/**
 * Seals a secret. It travels to the TPM encrypted, in a session salted to the parent.
 * @throws {TpmError} 'argument_invalid' for a secret of no or too many octets, or an authValue without a place in the
 * policy; 'auth_locked' after too many wrong PINs elsewhere; as `execute`
 */
export async function seal(tpm: TpmTransport, input: SealInput): Promise<SealedObject> {
  const { secret, parent, policy, values, auth, ownerAuth, random } = input;
  if (secret.length === 0 || secret.length > MAX_SEALED_BYTES) {
    throw new TpmError(
      'argument_invalid',
      `expected a secret of 1 to ${MAX_SEALED_BYTES} octets, found ${secret.length}`,
    );
  }
  if ((auth !== undefined) !== policy.withPin) {
    throw new TpmError('argument_invalid', 'expected a PIN where the policy has one, and none where it has not');
  }
  const isOpen = isOpenPolicy(policy);
  const base = sealedTemplate({
    authPolicy: isOpen ? new Uint8Array() : sealPolicyDigest(policy, values),
    userWithAuth: isOpen,
    // Guessing a PIN must lock the TPM; without one there is nothing to guess.
    noDA: !policy.withPin,
  });
  const template = policy.hash === 'sha256' ? base : changedArea<'keyedhash'>(base, { nameAlg: policy.hash });
  return withParent(tpm, parent, ownerAuth, (key) =>
    withSession(tpm, { kind: 'hmac', random, salt: key }, async (session) => {
      const options = { template, data: secret, ...(auth === undefined ? {} : { auth }) };
      const { area, private: wrapped } = await explained(createObject(tpm, key, options, { sessions: [session] }));
      return { area, private: wrapped, parent, policy };
    }),
  );
}
