// SPDX-License-Identifier: Apache-2.0
import { VouchsafeError } from '@vouchsafe/base';

export type ProtocolErrorCode =
  | 'base64_malformed' // a text that stands for no octets
  | 'join_token_malformed' // a text that is no token to join with, or not all of it
  | 'message_malformed'; // a message that has not the form that both sides agreed on

export class ProtocolError extends VouchsafeError<ProtocolErrorCode> {
  override readonly name = 'ProtocolError';
  readonly code: ProtocolErrorCode;
  /** Where in the message, as a JSON pointer (RFC 6901); undefined for the message as a whole. */
  readonly pointer: string | undefined;

  constructor(code: ProtocolErrorCode, message: string, pointer?: string) {
    super(message);
    this.code = code;
    this.pointer = pointer;
  }
}
