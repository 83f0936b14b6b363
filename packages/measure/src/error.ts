// SPDX-License-Identifier: Apache-2.0
import { VouchsafeError } from '@vouchsafe/base';

export type MeasureErrorCode =
  | 'stub_unknown' // a UKI whose stub does not say what it is, or one whose measurements are not known
  | 'bank_unsupported'; // a bank in which something cannot be predicted

export class MeasureError extends VouchsafeError<MeasureErrorCode> {
  override readonly name = 'MeasureError';
  readonly code: MeasureErrorCode;

  constructor(code: MeasureErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
