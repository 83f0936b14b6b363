// SPDX-License-Identifier: Apache-2.0
import { command } from '../command/command.ts';
import { tpm2bAttest } from '../structures/attest.ts';
import { tpm2bData, tpm2bDigest } from '../structures/buffer.ts';
import { TPM_CC } from '../structures/command-code.ts';
import { tpmlPcrSelection } from '../structures/pcr.ts';
import { tpmtSigScheme } from '../structures/scheme.ts';
import { tpmtSignature } from '../structures/signature.ts';
import { tpmtTicket } from '../structures/ticket.ts';

/** Part 3, section 18.2: says that an object is in this TPM. */
export const tpm2Certify = command('TPM2_Certify', {
  code: TPM_CC.certify,
  handles: { objectHandle: 'admin', signHandle: 'user' },
  parameters: { qualifyingData: tpm2bData, inScheme: tpmtSigScheme },
  response: { certifyInfo: tpm2bAttest, signature: tpmtSignature },
});

/** Part 3, section 18.3: says how an object was made. */
export const tpm2CertifyCreation = command('TPM2_CertifyCreation', {
  code: TPM_CC.certifyCreation,
  handles: { signHandle: 'user', objectHandle: 'none' },
  parameters: {
    qualifyingData: tpm2bData,
    creationHash: tpm2bDigest,
    inScheme: tpmtSigScheme,
    creationTicket: tpmtTicket,
  },
  response: { certifyInfo: tpm2bAttest, signature: tpmtSignature },
});

/** Part 3, section 18.4. */
export const tpm2Quote = command('TPM2_Quote', {
  code: TPM_CC.quote,
  handles: { signHandle: 'user' },
  parameters: { qualifyingData: tpm2bData, inScheme: tpmtSigScheme, PCRselect: tpmlPcrSelection },
  response: { quoted: tpm2bAttest, signature: tpmtSignature },
});

/** Part 3, section 18.5. */
export const tpm2GetSessionAuditDigest = command('TPM2_GetSessionAuditDigest', {
  code: TPM_CC.getSessionAuditDigest,
  handles: { privacyAdminHandle: 'user', signHandle: 'user', sessionHandle: 'none' },
  parameters: { qualifyingData: tpm2bData, inScheme: tpmtSigScheme },
  response: { auditInfo: tpm2bAttest, signature: tpmtSignature },
});

/** Part 3, section 18.7. */
export const tpm2GetTime = command('TPM2_GetTime', {
  code: TPM_CC.getTime,
  handles: { privacyAdminHandle: 'user', signHandle: 'user' },
  parameters: { qualifyingData: tpm2bData, inScheme: tpmtSigScheme },
  response: { timeInfo: tpm2bAttest, signature: tpmtSignature },
});
