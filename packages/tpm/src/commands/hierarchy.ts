// SPDX-License-Identifier: Apache-2.0
import { command } from '../command/command.ts';
import { tpm2bData, tpm2bDigest, tpm2bName } from '../structures/buffer.ts';
import { TPM_CC } from '../structures/command-code.ts';
import { tpm2bCreationData } from '../structures/creation.ts';
import { TPM_RH } from '../structures/handle.ts';
import { tpmlPcrSelection } from '../structures/pcr.ts';
import { tpm2bPublic } from '../structures/public.ts';
import { tpm2bAuth, tpm2bSensitiveCreate } from '../structures/sensitive.ts';
import { tpmtTicket } from '../structures/ticket.ts';

/** Part 3, section 24.1. */
export const tpm2CreatePrimary = command('TPM2_CreatePrimary', {
  code: TPM_CC.createPrimary,
  handles: { primaryHandle: 'user' },
  parameters: {
    inSensitive: tpm2bSensitiveCreate,
    inPublic: [tpm2bPublic, 'the template: the same one gives the same key'],
    outsideInfo: [tpm2bData, 'goes into the creation data'],
    creationPCR: [tpmlPcrSelection, 'PCRs to note in the creation data'],
  },
  responseHandles: ['objectHandle'],
  response: {
    outPublic: tpm2bPublic,
    creationData: tpm2bCreationData,
    creationHash: tpm2bDigest,
    creationTicket: tpmtTicket,
    name: tpm2bName,
  },
  secret: 'request',
});

/** Part 3, section 24.6. It takes the owner's objects and indices with it, and the authValue of the lockout. */
export const tpm2Clear = command('TPM2_Clear', {
  code: TPM_CC.clear,
  handles: { authHandle: 'user' },
  authAfter: ({ handle }) => (handle === TPM_RH.lockout ? new Uint8Array() : undefined),
});

/** Part 3, section 24.8. The answer is authorized with the new authValue. */
export const tpm2HierarchyChangeAuth = command('TPM2_HierarchyChangeAuth', {
  code: TPM_CC.hierarchyChangeAuth,
  handles: { authHandle: 'user' },
  parameters: { newAuth: tpm2bAuth },
  secret: 'request',
  authAfter: (_entity, { newAuth }) => newAuth,
});
