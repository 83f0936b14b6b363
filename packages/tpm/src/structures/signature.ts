// SPDX-License-Identifier: Apache-2.0
import { enumOf, type Infer, rest, select, struct, u16be } from '@vouchsafe/codec';
import { TPM_ALG, tpmiAlgHash } from './algorithm.ts';
import { tpm2b } from './buffer.ts';
import { tpmtHa } from './ha.ts';
import { tpmsEmpty } from './scheme.ts';

/** MAX_RSA_KEY_BYTES: 4,096 bits. */
const MAX_RSA_KEY_BYTES = 512;
/** MAX_ECC_KEY_BYTES: 638 bits, the longest curve of the TCG's registry. */
const MAX_ECC_KEY_BYTES = 80;

/** TPM2B_PUBLIC_KEY_RSA. TPM 2.0 Library, Part 2, section 11.2.4.5. */
export const tpm2bPublicKeyRsa = tpm2b(rest, MAX_RSA_KEY_BYTES);
/** TPM2B_ECC_PARAMETER. Part 2, section 11.2.5.1. */
export const tpm2bEccParameter = tpm2b(rest, MAX_ECC_KEY_BYTES);

/** Part 2, section 11.3.1. */
const tpmsSignatureRsa = struct('TPMS_SIGNATURE_RSA', { hash: tpmiAlgHash, sig: tpm2bPublicKeyRsa });

/** Part 2, section 11.3.2. */
const tpmsSignatureEcc = struct('TPMS_SIGNATURE_ECC', {
  hash: tpmiAlgHash,
  signatureR: tpm2bEccParameter,
  signatureS: tpm2bEccParameter,
});

const { rsassa, rsapss, ecdsa, ecdaa, sm2, ecschnorr, hmac } = TPM_ALG;

/**
 * TPM 2.0 Library, Part 2, section 11.3.4. Only rsassa, rsapss and ecdsa are checked here, see `isTpmSignature`; the
 * others are what a TPM may answer, null where nobody was to sign.
 */
export const tpmtSignature = struct('TPMT_SIGNATURE', {
  sigAlg: enumOf(u16be, { null: TPM_ALG.null, rsassa, rsapss, ecdsa, ecdaa, sm2, ecschnorr, hmac }),
  signature: select('sigAlg', {
    null: tpmsEmpty,
    rsassa: tpmsSignatureRsa,
    rsapss: tpmsSignatureRsa,
    ecdsa: tpmsSignatureEcc,
    ecdaa: tpmsSignatureEcc,
    sm2: tpmsSignatureEcc,
    ecschnorr: tpmsSignatureEcc,
    hmac: tpmtHa,
  }),
});
export type TpmtSignature = Infer<typeof tpmtSignature>;
