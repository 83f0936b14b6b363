// SPDX-License-Identifier: Apache-2.0
import { VouchsafeError } from '@vouchsafe/base';

export type AuditErrorCode =
  | 'audit_export_malformed' // a line of an exported log that is not one
  | 'audit_head_malformed' // a text that is not a signed tree head
  | 'audit_key_malformed' // a text that is not the key of a log, or a key that is not Ed25519
  | 'audit_argument'; // a size, an index or a proof of a tree that cannot be

export class AuditError extends VouchsafeError<AuditErrorCode> {
  override readonly name = 'AuditError';
  readonly code: AuditErrorCode;

  constructor(code: AuditErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
