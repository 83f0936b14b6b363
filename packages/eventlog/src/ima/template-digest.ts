// SPDX-License-Identifier: Apache-2.0
import { type TpmHash, tpmDigest } from '@vouchsafe/tpm';

/** Octets that the name takes in the hash of template 'ima': IMA_EVENT_NAME_LEN_MAX and a NUL. */
const HASHED_NAME_BYTES = 256;
const DIGEST_BYTES = 20;
const LENGTH_BYTES = 4;

/**
 * What of an entry's data is hashed. Linux, ima_crypto.c, ima_calc_field_array_hash_tfm: the data as it is, lengths
 * included; of template 'ima', the digest and the name filled up with zeros, without its length.
 */
export function hashedData(template: string, data: Uint8Array): Uint8Array {
  if (template !== 'ima') return data;
  const hashed = new Uint8Array(DIGEST_BYTES + HASHED_NAME_BYTES);
  hashed.set(data.subarray(0, DIGEST_BYTES), 0);
  hashed.set(data.subarray(DIGEST_BYTES + LENGTH_BYTES, DIGEST_BYTES + LENGTH_BYTES + HASHED_NAME_BYTES), DIGEST_BYTES);
  return hashed;
}

/** The hash of an entry's data. @throws {TpmError} 'algorithm_unsupported' */
export function templateDigest(template: string, data: Uint8Array, bank: TpmHash): Uint8Array {
  return tpmDigest(bank, hashedData(template, data));
}
