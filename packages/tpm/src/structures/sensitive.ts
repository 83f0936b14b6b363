// SPDX-License-Identifier: Apache-2.0
import { enumOf, type Infer, optional, rest, struct, u16be } from '@vouchsafe/codec';
import { TPM_ALG } from './algorithm.ts';
import { tpm2b, tpm2bDigest } from './buffer.ts';

/**
 * Octets that can be sealed, MAX_SYM_DATA: 128 in the specification's list of implementation constants; some TPMs take
 * more. TPM 2.0 Library, Part 2, section 11.1.14.
 */
const MAX_SENSITIVE_DATA_BYTES = 1024;

/** TPM2B_AUTH: an authValue, at most a digest of the object's nameAlg. Part 2, section 10.4.5. */
export const tpm2bAuth = tpm2bDigest;

/** TPM2B_SENSITIVE_DATA. Part 2, section 11.1.14. */
export const tpm2bSensitiveData = tpm2b(rest, MAX_SENSITIVE_DATA_BYTES);

/** TPMS_SENSITIVE_CREATE. TPM 2.0 Library, Part 2, section 11.1.15. */
export const tpmsSensitiveCreate = struct('TPMS_SENSITIVE_CREATE', {
  userAuth: [tpm2bAuth, 'the authValue of the new object'],
  data: [tpm2bSensitiveData, 'what is to be sealed, or a key that comes from outside; empty where the TPM makes one'],
});

/** Octets of a TPMS_SENSITIVE_CREATE at most: its two parts and their sizes. */
const MAX_SENSITIVE_CREATE_BYTES = 2 + 64 + 2 + MAX_SENSITIVE_DATA_BYTES;

/** TPM2B_SENSITIVE_CREATE. Part 2, section 11.1.16. */
export const tpm2bSensitiveCreate = tpm2b(tpmsSensitiveCreate, MAX_SENSITIVE_CREATE_BYTES);

const { rsa, ecc, keyedhash, symcipher } = TPM_ALG;

/** TPMT_SENSITIVE: the private part of an object. TPM 2.0 Library, Part 2, section 12.3.2.4. */
export const tpmtSensitive = struct('TPMT_SENSITIVE', {
  sensitiveType: [enumOf(u16be, { rsa, keyedhash, ecc, symcipher }), 'as the type of the public part'],
  authValue: tpm2bAuth,
  seedValue: [tpm2bDigest, 'of a parent, the seed of its protection; of other keys it hides the public part'],
  sensitive: [tpm2b(rest, MAX_SENSITIVE_DATA_BYTES), 'a prime, a scalar, a key, or the sealed octets'],
});
export type TpmtSensitive = Infer<typeof tpmtSensitive>;

/** TPM2B_SENSITIVE. Part 2, section 12.3.3. */
export const tpm2bSensitive = tpm2b(tpmtSensitive, MAX_SENSITIVE_DATA_BYTES + 2 * (2 + 64) + 4);

/** TPM2B_SENSITIVE where a public key alone is loaded: empty. Part 3, section 12.3. */
export const tpm2bSensitiveOrEmpty = tpm2b(optional(tpmtSensitive), MAX_SENSITIVE_DATA_BYTES + 2 * (2 + 64) + 4);

/** Octets of a wrapped private part at most: a TPMT_SENSITIVE and two wrappers of a digest each. */
const MAX_PRIVATE_BYTES = MAX_SENSITIVE_DATA_BYTES + 2 * (2 + 64) + 4 + 2 * (2 + 64);

/** TPM2B_PRIVATE: a sensitive part that only one parent opens. TPM 2.0 Library, Part 2, section 12.3.7. */
export const tpm2bPrivate = tpm2b(rest, MAX_PRIVATE_BYTES);

/** Octets of an encrypted secret at most: a ciphertext of RSA-4096, or a point of P-521 and two sizes. */
const MAX_ENCRYPTED_SECRET_BYTES = 512;

/** TPM2B_ENCRYPTED_SECRET. TPM 2.0 Library, Part 2, section 11.4.33. */
export const tpm2bEncryptedSecret = tpm2b(rest, MAX_ENCRYPTED_SECRET_BYTES);
