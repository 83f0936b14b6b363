// SPDX-License-Identifier: Apache-2.0
import { command } from '../command/command.ts';
import { tpm2bData, tpm2bDigest, tpm2bName } from '../structures/buffer.ts';
import { TPM_CC } from '../structures/command-code.ts';
import { tpm2bCreationData } from '../structures/creation.ts';
import { tpm2bIdObject } from '../structures/credential.ts';
import { tpmiRhHierarchy } from '../structures/handle.ts';
import { tpmlPcrSelection } from '../structures/pcr.ts';
import { tpm2bPublic } from '../structures/public.ts';
import {
  tpm2bAuth,
  tpm2bEncryptedSecret,
  tpm2bPrivate,
  tpm2bSensitiveCreate,
  tpm2bSensitiveData,
  tpm2bSensitiveOrEmpty,
} from '../structures/sensitive.ts';
import { tpmtTicket } from '../structures/ticket.ts';

/** Part 3, section 12.1. */
export const tpm2Create = command('TPM2_Create', {
  code: TPM_CC.create,
  handles: { parentHandle: 'user' },
  parameters: {
    inSensitive: tpm2bSensitiveCreate,
    inPublic: tpm2bPublic,
    outsideInfo: [tpm2bData, 'goes into the creation data'],
    creationPCR: [tpmlPcrSelection, 'PCRs to note in the creation data'],
  },
  response: {
    outPrivate: tpm2bPrivate,
    outPublic: tpm2bPublic,
    creationData: tpm2bCreationData,
    creationHash: tpm2bDigest,
    creationTicket: tpmtTicket,
  },
  secret: 'request',
});

/** Part 3, section 12.2. */
export const tpm2Load = command('TPM2_Load', {
  code: TPM_CC.load,
  handles: { parentHandle: 'user' },
  parameters: { inPrivate: tpm2bPrivate, inPublic: tpm2bPublic },
  responseHandles: ['objectHandle'],
  response: { name: tpm2bName },
});

/** Part 3, section 12.3. */
export const tpm2LoadExternal = command('TPM2_LoadExternal', {
  code: TPM_CC.loadExternal,
  parameters: {
    inPrivate: [tpm2bSensitiveOrEmpty, 'undefined for a public key alone'],
    inPublic: tpm2bPublic,
    hierarchy: [tpmiRhHierarchy, 'whose tickets it may get; null for none, which a private part requires'],
  },
  responseHandles: ['objectHandle'],
  response: { name: tpm2bName },
  secret: 'request',
});

/** Part 3, section 12.4. */
export const tpm2ReadPublic = command('TPM2_ReadPublic', {
  code: TPM_CC.readPublic,
  handles: { objectHandle: 'none' },
  response: { outPublic: tpm2bPublic, name: tpm2bName, qualifiedName: tpm2bName },
});

/** Part 3, section 12.5. */
export const tpm2ActivateCredential = command('TPM2_ActivateCredential', {
  code: TPM_CC.activateCredential,
  handles: { activateHandle: 'admin', keyHandle: 'user' },
  parameters: { credentialBlob: tpm2bIdObject, secret: tpm2bEncryptedSecret },
  response: { certInfo: [tpm2bDigest, 'the credential'] },
  secret: 'response',
});

/** Part 3, section 12.6. `makeCredential` does the same without a TPM. */
export const tpm2MakeCredential = command('TPM2_MakeCredential', {
  code: TPM_CC.makeCredential,
  handles: { handle: 'none' },
  parameters: { credential: tpm2bDigest, objectName: tpm2bName },
  response: { credentialBlob: tpm2bIdObject, secret: tpm2bEncryptedSecret },
  secret: 'request',
});

/** Part 3, section 12.7. */
export const tpm2Unseal = command('TPM2_Unseal', {
  code: TPM_CC.unseal,
  handles: { itemHandle: 'user' },
  response: { outData: tpm2bSensitiveData },
  secret: 'response',
});

/** Part 3, section 12.8. */
export const tpm2ObjectChangeAuth = command('TPM2_ObjectChangeAuth', {
  code: TPM_CC.objectChangeAuth,
  handles: { objectHandle: 'admin', parentHandle: 'none' },
  parameters: { newAuth: tpm2bAuth },
  response: { outPrivate: tpm2bPrivate },
  secret: 'request',
});
