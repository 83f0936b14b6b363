// SPDX-License-Identifier: Apache-2.0
import { VouchsafeError } from '@vouchsafe/base';

export type BytesErrorCode =
  | 'out_of_range' // the range asked for is not inside the source
  | 'short_read' // the source became shorter while it was read
  | 'not_found' // no file of that name
  | 'exists' // the output is there already
  | 'no_permission' // the host refuses access
  | 'no_space' // the device is full
  | 'not_a_file' // a folder, a socket or the like
  | 'io'; // any other failure of the host

export class BytesError extends VouchsafeError<BytesErrorCode> {
  override readonly name = 'BytesError';
  readonly code: BytesErrorCode;

  constructor(code: BytesErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
