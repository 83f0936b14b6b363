// SPDX-License-Identifier: Apache-2.0
import { rest, struct } from '@vouchsafe/codec';
import { tpm2b, tpm2bDigest } from './buffer.ts';

/** Octets of a TPMS_ID_OBJECT at most: an HMAC and an encrypted TPM2B_DIGEST, each with its size. */
const MAX_ID_OBJECT_BYTES = 2 + 64 + 2 + 64;

/** TPMS_ID_OBJECT. TPM 2.0 Library, Part 2, section 12.4.2. */
export const tpmsIdObject = struct('TPMS_ID_OBJECT', {
  integrityHMAC: tpm2bDigest,
  encIdentity: [rest, 'a TPM2B_DIGEST with the credential, encrypted'],
});

/** TPM2B_ID_OBJECT, as opaque octets. TPM 2.0 Library, Part 2, section 12.4.3. */
export const tpm2bIdObject = tpm2b(rest, MAX_ID_OBJECT_BYTES);
