// SPDX-License-Identifier: Apache-2.0
import { VouchsafeError } from '@vouchsafe/base';

export type DemoErrorCode =
  | 'folder_taken' // the demo's folder holds something that no demo has made
  | 'step_failed'; // a command of the demo did not do what it is shown for; the message has what it said

export class DemoError extends VouchsafeError<DemoErrorCode> {
  override readonly name = 'DemoError';
  readonly code: DemoErrorCode;

  constructor(code: DemoErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
