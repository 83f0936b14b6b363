// SPDX-License-Identifier: Apache-2.0
import { concatBytes } from '@vouchsafe/base';
import { encode } from '@vouchsafe/codec';
import { TpmError } from '../error.ts';
import { tpmDigest, tpmHashSize } from '../hash.ts';
import { nameOf, type PublicArea, publicArea } from '../name.ts';
import { type RandomSource, shareSecret } from '../secret-sharing.ts';
import { objectAttributes } from '../structures/attributes.ts';
import type { TpmtPublic } from '../structures/public.ts';
import { type TpmtSensitive, tpm2bSensitive } from '../structures/sensitive.ts';
import { protect } from './protect.ts';

/** What TPM2_Import takes: an object that only one parent opens. There is no inner wrapper. */
export interface ImportBlob {
  readonly objectPublic: PublicArea;
  /** The contents of a TPM2B_PRIVATE. */
  readonly duplicate: Uint8Array;
  /** The contents of a TPM2B_ENCRYPTED_SECRET. */
  readonly inSymSeed: Uint8Array;
}

/**
 * Wraps an object, without a TPM, so that only the TPM with this parent can import it. TPM 2.0 Library, Part 1, section
 * 23.3.2 (outer duplication wrapper).
 * @param parent a storage key or an endorsement key, as somebody who is believed vouches for it
 * @throws {TpmError} 'key_unsupported'; 'argument_invalid' for an object that TPMs do not import
 */
export function wrapForImport(
  parent: TpmtPublic,
  object: PublicArea,
  sensitive: TpmtSensitive,
  random: RandomSource,
): ImportBlob {
  const { fixedTPM, fixedParent } = object.value.objectAttributes;
  if (fixedTPM || fixedParent) {
    throw new TpmError(
      'argument_invalid',
      'expected an object that is not fixed to a TPM or a parent, found one that is',
    );
  }
  const { secret: seed, encrypted } = shareSecret(parent, 'DUPLICATE', random);
  const duplicate = protect(parent, seed, nameOf(object), encode(tpm2bSensitive, sensitive));
  return { objectPublic: object, duplicate, inSymSeed: encrypted };
}

/** A secret for one TPM. */
export interface ImportableSecret {
  /** What TPM2_Unseal will give; at most 128 octets on every TPM. */
  readonly data: Uint8Array;
  /** Its authValue; empty unless given. */
  readonly auth?: Uint8Array;
  /** Its policy, by SHA-256; empty for none. */
  readonly authPolicy?: Uint8Array;
  /** The authValue alone opens it; true without a policy, else false, unless given. */
  readonly userWithAuth?: boolean;
}

const EMPTY = new Uint8Array();

/**
 * A sealed secret, made without a TPM, that only the TPM with this parent can import, load and unseal.
 * @throws as `wrapForImport`
 */
export function sealForImport(parent: TpmtPublic, secret: ImportableSecret, random: RandomSource): ImportBlob {
  const { data, auth = EMPTY, authPolicy = EMPTY, userWithAuth = authPolicy.length === 0 } = secret;
  const hash = 'sha256';
  const seedValue = random(tpmHashSize(hash));
  const area = publicArea({
    type: 'keyedhash',
    nameAlg: hash,
    // Nothing fixed, or it could not be imported; no sensitiveDataOrigin, as the data comes from outside.
    objectAttributes: objectAttributes(...(userWithAuth ? (['userWithAuth'] as const) : [])),
    authPolicy,
    parameters: { scheme: { scheme: 'null', details: {} } },
    // Part 2, section 12.2.3.2 (unique): H(seedValue || sensitive), so that nobody can guess the data.
    unique: tpmDigest(hash, concatBytes(seedValue, data)),
  });
  return wrapForImport(
    parent,
    area,
    { sensitiveType: 'keyedhash', authValue: auth, seedValue, sensitive: data },
    random,
  );
}
