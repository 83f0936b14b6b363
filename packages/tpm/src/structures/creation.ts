// SPDX-License-Identifier: Apache-2.0
import { type Captured, type Infer, struct, u8, withBytes } from '@vouchsafe/codec';
import { tpmAlgId } from './algorithm.ts';
import { tpm2b, tpm2bData, tpm2bDigest, tpm2bName } from './buffer.ts';
import { tpmlPcrSelection } from './pcr.ts';

/** TPMS_CREATION_DATA. TPM 2.0 Library, Part 2, section 15.1. */
export const tpmsCreationData = struct('TPMS_CREATION_DATA', {
  pcrSelect: [tpmlPcrSelection, 'the PCRs in pcrDigest, as the creator asked'],
  pcrDigest: [tpm2bDigest, "of those PCRs when the object was made, by the object's nameAlg"],
  locality: [u8, 'at which it was made'],
  parentNameAlg: tpmAlgId,
  parentName: [tpm2bName, 'of the parent; of a hierarchy its handle'],
  parentQualifiedName: tpm2bName,
  outsideInfo: [tpm2bData, 'what the creator gave'],
});
export type TpmsCreationData = Infer<typeof tpmsCreationData>;

/** Octets of a TPMS_CREATION_DATA at most: 16 selections, and the buffers. */
const MAX_CREATION_DATA_BYTES = 512;

/** TPM2B_CREATION_DATA, with the exact octets inside, which creationHash is over. Part 2, section 15.2. */
export const tpm2bCreationData = tpm2b(withBytes(tpmsCreationData), MAX_CREATION_DATA_BYTES);
export type CreationData = Captured<TpmsCreationData>;
