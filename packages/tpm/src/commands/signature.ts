// SPDX-License-Identifier: Apache-2.0
import { command } from '../command/command.ts';
import { tpm2bDigest } from '../structures/buffer.ts';
import { TPM_CC } from '../structures/command-code.ts';
import { tpmtSigScheme } from '../structures/scheme.ts';
import { tpmtSignature } from '../structures/signature.ts';
import { tpmtTicket } from '../structures/ticket.ts';

/** Part 3, section 20.1. The ticket is what TPM2_PolicyAuthorize takes. */
export const tpm2VerifySignature = command('TPM2_VerifySignature', {
  code: TPM_CC.verifySignature,
  handles: { keyHandle: 'none' },
  parameters: { digest: tpm2bDigest, signature: tpmtSignature },
  response: { validation: tpmtTicket },
});

/** Part 3, section 20.2. A restricted key signs only what the TPM hashed and gave a ticket for. */
export const tpm2Sign = command('TPM2_Sign', {
  code: TPM_CC.sign,
  handles: { keyHandle: 'user' },
  parameters: { digest: tpm2bDigest, inScheme: tpmtSigScheme, validation: tpmtTicket },
  response: { signature: tpmtSignature },
});
