// SPDX-License-Identifier: Apache-2.0
import { VouchsafeError } from '@vouchsafe/base';

export type AppraiseErrorCode =
  | 'manifest_missing' // nothing to compare with
  | 'bank_unknown' // no bank that log and reference both have
  | 'limit' // more than one boot, one policy or one set of references has
  | 'policy_malformed' // no Cedar policy, or one that asks about facts that there are not
  | 'baseline_malformed' // no component of systemd-pcrlock, variants that cannot be told apart, or no boot log that a baseline can be made of
  | 'bundle_malformed' // no bundle of recorded evidence
  | 'policy_empty'; // a text without a policy, which would permit nothing

export class AppraiseError extends VouchsafeError<AppraiseErrorCode> {
  override readonly name = 'AppraiseError';
  readonly code: AppraiseErrorCode;

  constructor(code: AppraiseErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
