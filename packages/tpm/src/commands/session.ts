// SPDX-License-Identifier: Apache-2.0
import { command } from '../command/command.ts';
import { tpmiAlgHash } from '../structures/algorithm.ts';
import { tpm2bDigest } from '../structures/buffer.ts';
import { TPM_CC } from '../structures/command-code.ts';
import { tpm2bEncryptedSecret } from '../structures/sensitive.ts';
import { tpmSe, tpmtSymDef } from '../structures/session.ts';

/** Part 3, section 11.1. `startSession` does what belongs to it. */
export const tpm2StartAuthSession = command('TPM2_StartAuthSession', {
  code: TPM_CC.startAuthSession,
  handles: { tpmKey: 'none', bind: 'none' },
  parameters: {
    nonceCaller: tpm2bDigest,
    encryptedSalt: tpm2bEncryptedSecret,
    sessionType: tpmSe,
    symmetric: tpmtSymDef,
    authHash: tpmiAlgHash,
  },
  responseHandles: ['sessionHandle'],
  response: { nonceTPM: tpm2bDigest },
});

/** Part 3, section 11.2: a policy session from its beginning again. */
export const tpm2PolicyRestart = command('TPM2_PolicyRestart', {
  code: TPM_CC.policyRestart,
  handles: { sessionHandle: 'none' },
  policyEffect: { handle: 'sessionHandle', needs: 'nothing' },
});
