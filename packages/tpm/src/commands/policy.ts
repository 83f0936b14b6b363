// SPDX-License-Identifier: Apache-2.0
import { type Codec, mapped, rest, u8, u16be, u32be } from '@vouchsafe/codec';
import { command } from '../command/command.ts';
import { tpm2b, tpm2bDigest, tpm2bName, tpmiYesNo, tpmlDigest } from '../structures/buffer.ts';
import { TPM_CC } from '../structures/command-code.ts';
import { tpmlPcrSelection } from '../structures/pcr.ts';
import { tpmEo } from '../structures/session.ts';
import { tpmtSignature } from '../structures/signature.ts';
import { tpmtTicket } from '../structures/ticket.ts';

/** TPM2B_OPERAND, at most a digest. Part 2, section 10.4.6. */
const tpm2bOperand = tpm2bDigest;
/** TPM2B_TIMEOUT: the TPM's own form. Part 2, section 10.4.10. */
const tpm2bTimeout = tpm2b(rest, 64);
/** INT32, Part 2, section 5.1 (base types). */
const int32: Codec<number> = mapped(
  'INT32',
  u32be,
  (word) => word | 0,
  (value) => {
    if ((value | 0) !== value) throw new Error(`expected a whole number of 32 bits, found ${value}`);
    return value >>> 0;
  },
);

const policySession = { policySession: 'none' } as const;

/** Part 3, section 23.3. */
export const tpm2PolicySigned = command('TPM2_PolicySigned', {
  code: TPM_CC.policySigned,
  handles: { authObject: 'none', ...policySession },
  parameters: {
    nonceTPM: tpm2bDigest,
    cpHashA: tpm2bDigest,
    policyRef: tpm2bDigest,
    expiration: [int32, 'seconds from the start of the session, negative for a ticket; 0 for no end'],
    auth: tpmtSignature,
  },
  response: { timeout: tpm2bTimeout, policyTicket: tpmtTicket },
});

/** Part 3, section 23.4. */
export const tpm2PolicySecret = command('TPM2_PolicySecret', {
  code: TPM_CC.policySecret,
  handles: { authHandle: 'user', ...policySession },
  parameters: {
    nonceTPM: tpm2bDigest,
    cpHashA: tpm2bDigest,
    policyRef: tpm2bDigest,
    expiration: [int32, 'seconds from the start of the session, negative for a ticket; 0 for no end'],
  },
  response: { timeout: tpm2bTimeout, policyTicket: tpmtTicket },
});

/** Part 3, section 23.6. */
export const tpm2PolicyOr = command('TPM2_PolicyOR', {
  code: TPM_CC.policyOr,
  handles: policySession,
  parameters: { pHashList: [tpmlDigest, '2 to 8'] },
});

/** Part 3, section 23.7. */
export const tpm2PolicyPcr = command('TPM2_PolicyPCR', {
  code: TPM_CC.policyPcr,
  handles: policySession,
  parameters: { pcrDigest: [tpm2bDigest, 'empty for the values now'], pcrs: tpmlPcrSelection },
});

/** Part 3, section 23.8. */
export const tpm2PolicyLocality = command('TPM2_PolicyLocality', {
  code: TPM_CC.policyLocality,
  handles: policySession,
  parameters: { locality: [u8, 'TPMA_LOCALITY: bits 0 to 4, or a number from 32 on'] },
});

/** Part 3, section 23.9. */
export const tpm2PolicyNv = command('TPM2_PolicyNV', {
  code: TPM_CC.policyNv,
  handles: { authHandle: 'user', nvIndex: 'none', ...policySession },
  parameters: { operandB: tpm2bOperand, offset: u16be, operation: tpmEo },
});

/** Part 3, section 23.10. */
export const tpm2PolicyCounterTimer = command('TPM2_PolicyCounterTimer', {
  code: TPM_CC.policyCounterTimer,
  handles: policySession,
  parameters: { operandB: tpm2bOperand, offset: [u16be, 'into TPMS_TIME_INFO'], operation: tpmEo },
});

/** Part 3, section 23.11. */
export const tpm2PolicyCommandCode = command('TPM2_PolicyCommandCode', {
  code: TPM_CC.policyCommandCode,
  handles: policySession,
  parameters: { code: u32be },
});

/** Part 3, section 23.12. */
export const tpm2PolicyPhysicalPresence = command('TPM2_PolicyPhysicalPresence', {
  code: TPM_CC.policyPhysicalPresence,
  handles: policySession,
});

/** Part 3, section 23.13. */
export const tpm2PolicyCpHash = command('TPM2_PolicyCpHash', {
  code: TPM_CC.policyCpHash,
  handles: policySession,
  parameters: { cpHashA: tpm2bDigest },
});

/** Part 3, section 23.14. */
export const tpm2PolicyNameHash = command('TPM2_PolicyNameHash', {
  code: TPM_CC.policyNameHash,
  handles: policySession,
  parameters: { nameHash: tpm2bDigest },
});

/** Part 3, section 23.15. */
export const tpm2PolicyDuplicationSelect = command('TPM2_PolicyDuplicationSelect', {
  code: TPM_CC.policyDuplicationSelect,
  handles: policySession,
  parameters: { objectName: tpm2bName, newParentName: tpm2bName, includeObject: tpmiYesNo },
});

/** Part 3, section 23.16. */
export const tpm2PolicyAuthorize = command('TPM2_PolicyAuthorize', {
  code: TPM_CC.policyAuthorize,
  handles: policySession,
  parameters: { approvedPolicy: tpm2bDigest, policyRef: tpm2bDigest, keySign: tpm2bName, checkTicket: tpmtTicket },
});

/** Part 3, section 23.17. */
export const tpm2PolicyAuthValue = command('TPM2_PolicyAuthValue', {
  code: TPM_CC.policyAuthValue,
  handles: policySession,
  policyEffect: { handle: 'policySession', needs: 'authValue' },
});

/** Part 3, section 23.18. The same policy digest as TPM2_PolicyAuthValue, but the authValue travels as it is. */
export const tpm2PolicyPassword = command('TPM2_PolicyPassword', {
  code: TPM_CC.policyPassword,
  handles: policySession,
  policyEffect: { handle: 'policySession', needs: 'password' },
});

/** Part 3, section 23.19. */
export const tpm2PolicyGetDigest = command('TPM2_PolicyGetDigest', {
  code: TPM_CC.policyGetDigest,
  handles: policySession,
  response: { policyDigest: tpm2bDigest },
});

/** Part 3, section 23.20. */
export const tpm2PolicyNvWritten = command('TPM2_PolicyNvWritten', {
  code: TPM_CC.policyNvWritten,
  handles: policySession,
  parameters: { writtenSet: tpmiYesNo },
});

/** Part 3, section 23.21. */
export const tpm2PolicyTemplate = command('TPM2_PolicyTemplate', {
  code: TPM_CC.policyTemplate,
  handles: policySession,
  parameters: { templateHash: tpm2bDigest },
});

/** Part 3, section 23.22. */
export const tpm2PolicyAuthorizeNv = command('TPM2_PolicyAuthorizeNV', {
  code: TPM_CC.policyAuthorizeNv,
  handles: { authHandle: 'user', nvIndex: 'none', ...policySession },
});
