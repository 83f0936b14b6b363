// SPDX-License-Identifier: Apache-2.0
import { encode } from '@vouchsafe/codec';
import { TpmError } from '../error.ts';
import { tpmHashSize } from '../hash.ts';
import { type RandomSource, shareSecret } from '../secret-sharing.ts';
import { tpm2bDigest } from '../structures/buffer.ts';
import type { TpmtPublic } from '../structures/public.ts';
import { protect } from './protect.ts';

/** What TPM2_ActivateCredential takes. */
export interface Credential {
  /** The contents of a TPM2B_ID_OBJECT. */
  readonly credentialBlob: Uint8Array;
  /** The contents of a TPM2B_ENCRYPTED_SECRET. */
  readonly secret: Uint8Array;
}

/**
 * Encrypts a credential, without a TPM, so that only the TPM with this endorsement key opens it, and only when it has
 * the object of this name too. TPM 2.0 Library, Part 1, section 24; Part 3, section 12.6 (TPM2_MakeCredential).
 * @param ek the endorsement key's public area, as its certificate vouches for it
 * @param objectName of the attestation key: the whole name, never only a hash over some of it
 * @param credential at most as long as the endorsement key's nameAlg
 * @throws {TpmError} 'key_unsupported', 'argument_invalid'
 */
export function makeCredential(
  ek: TpmtPublic,
  objectName: Uint8Array,
  credential: Uint8Array,
  random: RandomSource,
): Credential {
  const maxBytes = ek.nameAlg === 'null' ? 0 : tpmHashSize(ek.nameAlg);
  if (credential.length === 0 || credential.length > maxBytes) {
    throw new TpmError(
      'argument_invalid',
      `expected a credential of 1 to ${maxBytes} octets, found ${credential.length}`,
    );
  }
  if (objectName.length === 0) throw new TpmError('argument_invalid', "expected the object's name, found no octets");
  const { secret: seed, encrypted } = shareSecret(ek, 'IDENTITY', random);
  return { credentialBlob: protect(ek, seed, objectName, encode(tpm2bDigest, credential)), secret: encrypted };
}
