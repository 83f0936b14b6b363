// SPDX-License-Identifier: Apache-2.0
import { enumOf, type Infer, rest, select, struct, u16be } from '@vouchsafe/codec';
import { TPM_ALG, tpmiAlgHash } from './algorithm.ts';
import { tpm2b } from './buffer.ts';

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

/** TPM 2.0 Library, Part 2, section 11.3.4, of the schemes that are checked here. */
export const tpmtSignature = struct('TPMT_SIGNATURE', {
  sigAlg: enumOf(u16be, { rsassa: TPM_ALG.rsassa, rsapss: TPM_ALG.rsapss, ecdsa: TPM_ALG.ecdsa }),
  signature: select('sigAlg', { rsassa: tpmsSignatureRsa, rsapss: tpmsSignatureRsa, ecdsa: tpmsSignatureEcc }),
});
export type TpmtSignature = Infer<typeof tpmtSignature>;
