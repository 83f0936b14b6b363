// SPDX-License-Identifier: Apache-2.0
import { bytes, type Infer, list, select, struct, u32be } from '@vouchsafe/codec';
import { tpmiAlgHash } from './algorithm.ts';

/** TPMT_HA: a hash and a digest of its length. TPM 2.0 Library, Part 2, section 10.3.2. */
export const tpmtHa = struct('TPMT_HA', {
  hashAlg: tpmiAlgHash,
  digest: select('hashAlg', {
    sha1: bytes(20),
    sha256: bytes(32),
    sha384: bytes(48),
    sha512: bytes(64),
    sm3_256: bytes(32),
    sha3_256: bytes(32),
    sha3_384: bytes(48),
    sha3_512: bytes(64),
  }),
});
export type TpmtHa = Infer<typeof tpmtHa>;

/** Digests in one list at most, HASH_COUNT: one for each bank. */
const MAX_DIGEST_VALUES = 16;

/** TPML_DIGEST_VALUES. TPM 2.0 Library, Part 2, section 10.9.6. */
export const tpmlDigestValues = list(u32be, tpmtHa, MAX_DIGEST_VALUES);
