// SPDX-License-Identifier: Apache-2.0
import { VouchsafeError } from '@vouchsafe/base';

export type VerityErrorCode =
  | 'options_invalid' // an option, or two together, that dm-verity does not have
  | 'data_size' // the data is empty, not a multiple of the block size, or shorter than --data-blocks says
  | 'superblock_missing' // no verity superblock where one was expected
  | 'superblock_invalid' // a superblock that breaks the format's rules
  | 'tree_short' // the hash area ends before the tree does
  | 'root_mismatch' // the top hash block does not have the expected root hash
  | 'block_corrupt' // a data or hash block differs from the digest above it
  | 'algorithm' // a digest that verity does not know, or this runtime does not have
  | 'fec_roots' // a number of parity bytes outside 2 to 24
  | 'fec_geometry' // sizes for which no error correction layout exists
  | 'fec_short' // the parity ends before the layout says
  | 'signature_invalid' // a signature that does not hold
  | 'signature_malformed'; // bytes that are not such a signature

export class VerityError extends VouchsafeError<VerityErrorCode> {
  override readonly name = 'VerityError';
  readonly code: VerityErrorCode;

  constructor(code: VerityErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
