// SPDX-License-Identifier: Apache-2.0
import { command } from '../command/command.ts';
import { tpm2bData } from '../structures/buffer.ts';
import { TPM_CC } from '../structures/command-code.ts';
import { tpm2bEccPoint } from '../structures/public.ts';
import { tpmtRsaDecrypt } from '../structures/scheme.ts';
import { tpm2bPublicKeyRsa } from '../structures/signature.ts';

/** Part 3, section 14.2. */
export const tpm2RsaEncrypt = command('TPM2_RSA_Encrypt', {
  code: TPM_CC.rsaEncrypt,
  handles: { keyHandle: 'none' },
  parameters: {
    message: tpm2bPublicKeyRsa,
    inScheme: tpmtRsaDecrypt,
    label: [tpm2bData, 'of OAEP; empty, or ended by a zero'],
  },
  response: { outData: tpm2bPublicKeyRsa },
  secret: 'request',
});

/** Part 3, section 14.3. */
export const tpm2RsaDecrypt = command('TPM2_RSA_Decrypt', {
  code: TPM_CC.rsaDecrypt,
  handles: { keyHandle: 'user' },
  parameters: { cipherText: tpm2bPublicKeyRsa, inScheme: tpmtRsaDecrypt, label: tpm2bData },
  response: { message: tpm2bPublicKeyRsa },
  secret: 'response',
});

/** Part 3, section 14.4: an ephemeral key of the TPM's, and the point it shares with the key. */
export const tpm2EcdhKeyGen = command('TPM2_ECDH_KeyGen', {
  code: TPM_CC.ecdhKeyGen,
  handles: { keyHandle: 'none' },
  response: { zPoint: tpm2bEccPoint, pubPoint: tpm2bEccPoint },
  secret: 'response',
});

/** Part 3, section 14.5. */
export const tpm2EcdhZGen = command('TPM2_ECDH_ZGen', {
  code: TPM_CC.ecdhZGen,
  handles: { keyHandle: 'user' },
  parameters: { inPoint: tpm2bEccPoint },
  response: { outPoint: tpm2bEccPoint },
  secret: 'response',
});
