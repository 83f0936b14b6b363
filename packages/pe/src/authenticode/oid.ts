// SPDX-License-Identifier: Apache-2.0

/** Windows Authenticode Portable Executable Signature Format, "Authenticode Signature". */
export const SPC_OID = {
  indirectData: '1.3.6.1.4.1.311.2.1.4',
  peImageData: '1.3.6.1.4.1.311.2.1.15',
  /** SPC_INDIVIDUAL_SP_KEY_PURPOSE_OBJID, which pesign writes where SPC_PE_IMAGE_DATA_OBJID belongs. */
  individualCodeSigning: '1.3.6.1.4.1.311.2.1.21',
} as const;
