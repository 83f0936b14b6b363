// SPDX-License-Identifier: Apache-2.0
import type { VerifiedEndorsementKey, VerifiedPlatform } from '@vouchsafe/identity';
import type { TpmtPublic } from '@vouchsafe/tpm';

/** The keys of a request, checked as far as they can be without the TPM. */
export interface OfferedIdentity {
  readonly ek: TpmtPublic;
  /** SHA-256 of its SubjectPublicKeyInfo. */
  readonly ekSha256: string;
  readonly endorsementKey: VerifiedEndorsementKey;
  readonly platform: VerifiedPlatform | undefined;
  readonly akName: Uint8Array;
  /** Digests that an inventory may list. */
  readonly listedAs: readonly string[];
}
