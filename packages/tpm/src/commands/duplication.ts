// SPDX-License-Identifier: Apache-2.0
import { command } from '../command/command.ts';
import { tpm2bData } from '../structures/buffer.ts';
import { TPM_CC } from '../structures/command-code.ts';
import { tpm2bPublic } from '../structures/public.ts';
import { tpmtSymDefObject } from '../structures/scheme.ts';
import { tpm2bEncryptedSecret, tpm2bPrivate } from '../structures/sensitive.ts';

/** Part 3, section 13.1. */
export const tpm2Duplicate = command('TPM2_Duplicate', {
  code: TPM_CC.duplicate,
  handles: { objectHandle: 'dup', newParentHandle: 'none' },
  parameters: {
    encryptionKeyIn: [tpm2bData, 'for the inner wrapper; empty has the TPM draw one'],
    symmetricAlg: [tpmtSymDefObject, 'of the inner wrapper; null for none'],
  },
  response: {
    encryptionKeyOut: [tpm2bData, 'the key that the TPM drew'],
    duplicate: tpm2bPrivate,
    outSymSeed: tpm2bEncryptedSecret,
  },
  secret: 'request',
  // The key of the inner wrapper, where the TPM draws it.
  isAnswerSecret: ({ encryptionKeyIn, symmetricAlg }) =>
    symmetricAlg.algorithm !== 'null' && encryptionKeyIn.length === 0,
});

/** Part 3, section 13.3. */
export const tpm2Import = command('TPM2_Import', {
  code: TPM_CC.import,
  handles: { parentHandle: 'user' },
  parameters: {
    encryptionKey: [tpm2bData, 'of the inner wrapper; empty for none'],
    objectPublic: tpm2bPublic,
    duplicate: tpm2bPrivate,
    inSymSeed: tpm2bEncryptedSecret,
    symmetricAlg: tpmtSymDefObject,
  },
  response: { outPrivate: tpm2bPrivate },
  secret: 'request',
});
