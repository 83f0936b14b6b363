// SPDX-License-Identifier: Apache-2.0
import { VouchsafeError } from '@vouchsafe/base';

export type MeasureErrorCode =
  | 'stub_unknown' // a UKI whose stub does not say what it is, or does what is not known of its version
  | 'loader_unknown' // a boot loader that is not known, or does what is not known of its version
  | 'not_started' // a program that Secure Boot keeps from starting
  | 'kernel_unsuitable' // a kernel that a stub starts in a way that is not predicted
  | 'bank_unsupported' // a bank in which something cannot be predicted
  | 'machine_dependent' // sections of which the machine chooses, and the caller has not said which
  | 'profile_unknown' // a profile that the UKI does not have, or its stub does not know
  | 'command_line_invalid' // text that boot loader and stub would take apart in other ways than one
  | 'limit' // a section larger than its kind can be
  | 'phase_invalid' // a boot phase path that is none
  | 'options_invalid' // circumstances that exclude each other, or do not occur
  | 'signer_unsuitable' // a signer of another scheme than signed PCR policies have
  | 'pcrsig_malformed' // not a .pcrsig
  | 'pcrsig_unsupported'; // a .pcrsig of a newer form

export class MeasureError extends VouchsafeError<MeasureErrorCode> {
  override readonly name = 'MeasureError';
  readonly code: MeasureErrorCode;

  constructor(code: MeasureErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
