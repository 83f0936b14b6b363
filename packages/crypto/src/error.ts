// SPDX-License-Identifier: Apache-2.0
import { VouchsafeError } from '@vouchsafe/base';

export type CryptoErrorCode =
  | 'unsupported' // an algorithm that this runtime, or this product, does not have
  | 'invalid_key' // bytes that are not a key of a kind we take, or a key outside the limits
  | 'key_mismatch' // the key is of another kind than the scheme needs
  | 'invalid_input' // a message, seed, initial value or scalar of a length or range that the algorithm does not take
  | 'wrong_passphrase'; // an encrypted key did not open, or no passphrase was given for it

export class CryptoError extends VouchsafeError<CryptoErrorCode> {
  override readonly name = 'CryptoError';
  readonly code: CryptoErrorCode;

  constructor(code: CryptoErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
