// SPDX-License-Identifier: Apache-2.0
import type { Static, TSchema } from 'typebox';
import Value from 'typebox/value';
import { ProtocolError } from './error.ts';

/**
 * A message that came in, as what its schema says.
 * @throws {ProtocolError} 'message_malformed' with the place of the first fault; the message names no value, which may be secret.
 */
export function checkMessage<S extends TSchema>(schema: S, message: unknown): Static<S> {
  if (Value.Check(schema, message)) return message as Static<S>;
  const [fault] = Value.Errors(schema, message);
  const pointer = fault?.instancePath ?? '';
  throw new ProtocolError('message_malformed', `${pointer || 'message'}: ${fault?.message ?? 'another form'}`, pointer);
}
