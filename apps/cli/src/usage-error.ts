// SPDX-License-Identifier: Apache-2.0
import { VouchsafeError } from '@vouchsafe/base';

export type UsageErrorCode = 'options_invalid'; // options or arguments that do not go together

/** What only the command can know to be wrong: the libraries see neither option names nor standard streams. */
export class UsageError extends VouchsafeError<UsageErrorCode> {
  override readonly name = 'UsageError';
  readonly code: UsageErrorCode = 'options_invalid';
}
