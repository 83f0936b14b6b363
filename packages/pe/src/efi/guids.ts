// SPDX-License-Identifier: Apache-2.0

/** EFI_GLOBAL_VARIABLE, of PK and KEK. UEFI 2.10, 3.3. */
export const EFI_GLOBAL_VARIABLE = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
/** EFI_IMAGE_SECURITY_DATABASE_GUID, of db, dbx, dbt and dbr. UEFI 2.10, 32.4.1. */
export const EFI_IMAGE_SECURITY_DATABASE = 'd719b2cb-3d3a-4596-a3bc-dad00e67656f';
/** gEfiSecureBootEnableDisableGuid, of SecureBootEnable. EDK II, MdeModulePkg/Include/Guid/AuthenticatedVariableFormat.h. */
export const EDK2_SECURE_BOOT_ENABLE = 'f0a30bc7-af08-4556-99c4-001009c93a44';

/** Signature types of UEFI 2.10, 32.4.1, and the octets of SignatureData after the owner where that is fixed. */
export const SIGNATURE_TYPES = {
  x509: { guid: 'a5c059a1-94e4-4aa7-87b5-ab155c2bf072', dataBytes: undefined },
  sha1: { guid: '826ca512-cf10-4ac9-b187-be01496631bd', dataBytes: 20 },
  sha224: { guid: '0b6e5233-a65c-44c9-9407-d9ab83bfc8bd', dataBytes: 28 },
  sha256: { guid: 'c1c41626-504c-4092-aca9-41f936934328', dataBytes: 32 },
  sha384: { guid: 'ff3e5307-9fd0-48c9-85f1-8ad56c701e01', dataBytes: 48 },
  sha512: { guid: '093e0fae-a6c4-4f50-9f1b-d41e2b89c19a', dataBytes: 64 },
  rsa2048: { guid: '3c5766e8-269c-4e34-aa14-ed776e85b3b6', dataBytes: 256 },
  x509Sha256: { guid: '3bd2a492-96c0-4079-b420-fcf98ef103ed', dataBytes: 48 },
  x509Sha384: { guid: '7076876e-80c2-4ee6-aad2-28b349a6865b', dataBytes: 64 },
  x509Sha512: { guid: '446dbf63-2502-4cda-bcfa-2465d2b0fe9d', dataBytes: 80 },
} as const;

export type SignatureTypeName = keyof typeof SIGNATURE_TYPES;

/** Attributes of variables. UEFI 2.10, 8.2.1, "EFI_RUNTIME_SERVICES.GetVariable()". */
export const VARIABLE_ATTRIBUTE = {
  nonVolatile: 0x01,
  bootserviceAccess: 0x02,
  runtimeAccess: 0x04,
  timeBasedAuthenticatedWriteAccess: 0x20,
  appendWrite: 0x40,
} as const;

/** NV, BS, RT and AT: what UEFI 2.10, 32.3, wants for PK, KEK, db and dbx. */
export const KEY_VARIABLE_ATTRIBUTES = 0x27;
