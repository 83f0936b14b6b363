// SPDX-License-Identifier: Apache-2.0
import { u16be, u64be } from '@vouchsafe/codec';
import { command } from '../command/command.ts';
import { tpm2bAttest } from '../structures/attest.ts';
import { tpm2bData, tpm2bName } from '../structures/buffer.ts';
import { TPM_CC } from '../structures/command-code.ts';
import { tpm2bMaxNvBuffer, tpm2bNvPublic } from '../structures/nv.ts';
import { tpmtSigScheme } from '../structures/scheme.ts';
import { tpm2bAuth } from '../structures/sensitive.ts';
import { tpmtSignature } from '../structures/signature.ts';

/** Part 3, section 31.3. */
export const tpm2NvDefineSpace = command('TPM2_NV_DefineSpace', {
  code: TPM_CC.nvDefineSpace,
  handles: { authHandle: 'user' },
  parameters: { auth: [tpm2bAuth, 'the authValue of the index'], publicInfo: tpm2bNvPublic },
  secret: 'request',
});

/** Part 3, section 31.4. */
export const tpm2NvUndefineSpace = command('TPM2_NV_UndefineSpace', {
  code: TPM_CC.nvUndefineSpace,
  handles: { authHandle: 'user', nvIndex: 'none' },
});

/** Part 3, section 31.6. */
export const tpm2NvReadPublic = command('TPM2_NV_ReadPublic', {
  code: TPM_CC.nvReadPublic,
  handles: { nvIndex: 'none' },
  response: { nvPublic: tpm2bNvPublic, nvName: tpm2bName },
});

const written = { authHandle: 'user', nvIndex: 'none' } as const;

/** Part 3, section 31.7. */
export const tpm2NvWrite = command('TPM2_NV_Write', {
  code: TPM_CC.nvWrite,
  handles: written,
  parameters: { data: tpm2bMaxNvBuffer, offset: u16be },
});

/** Part 3, section 31.8: a counter. */
export const tpm2NvIncrement = command('TPM2_NV_Increment', { code: TPM_CC.nvIncrement, handles: written });

/** Part 3, section 31.9: as a PCR is extended. */
export const tpm2NvExtend = command('TPM2_NV_Extend', {
  code: TPM_CC.nvExtend,
  handles: written,
  parameters: { data: tpm2bMaxNvBuffer },
});

/** Part 3, section 31.10. */
export const tpm2NvSetBits = command('TPM2_NV_SetBits', {
  code: TPM_CC.nvSetBits,
  handles: written,
  parameters: { bits: u64be },
});

/** Part 3, section 31.11. */
export const tpm2NvWriteLock = command('TPM2_NV_WriteLock', { code: TPM_CC.nvWriteLock, handles: written });

/** Part 3, section 31.13. */
export const tpm2NvRead = command('TPM2_NV_Read', {
  code: TPM_CC.nvRead,
  handles: written,
  parameters: { size: u16be, offset: u16be },
  response: { data: tpm2bMaxNvBuffer },
});

/** Part 3, section 31.14. */
export const tpm2NvReadLock = command('TPM2_NV_ReadLock', { code: TPM_CC.nvReadLock, handles: written });

/** Part 3, section 31.16. */
export const tpm2NvCertify = command('TPM2_NV_Certify', {
  code: TPM_CC.nvCertify,
  handles: { signHandle: 'user', authHandle: 'user', nvIndex: 'none' },
  parameters: { qualifyingData: tpm2bData, inScheme: tpmtSigScheme, size: u16be, offset: u16be },
  response: { certifyInfo: tpm2bAttest, signature: tpmtSignature },
});
