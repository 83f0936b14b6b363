// SPDX-License-Identifier: Apache-2.0
import { VouchsafeError } from '@vouchsafe/base';

export type LabErrorCode =
  | 'tool_failed' // QEMU, swtpm or another tool did not start, or ended with an error
  | 'input_missing' // a kernel, a firmware or a program of the system is not there
  | 'machine_ended' // the machine ended before it came to what was waited for
  | 'tamper_unfit'; // the disk does not have what a case of tampering changes

export class LabError extends VouchsafeError<LabErrorCode> {
  override readonly name = 'LabError';
  readonly code: LabErrorCode;

  constructor(code: LabErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
