// SPDX-License-Identifier: Apache-2.0
import { parseUtf8, TextError, utf8 } from '@vouchsafe/base';
import Type, { type Static } from 'typebox';
import Value from 'typebox/value';
import { encodeBase64url, parseBase64url } from './base64url.ts';
import { ProtocolError } from './error.ts';
import { sha256Hex, strict } from './fields.ts';

/** The address of a service: its origin alone, so that no path or user name is smuggled into it. */
export const serviceUrl = Type.String({ pattern: '^https://[A-Za-z0-9.:\\[\\]-]+$', maxLength: 512 });

const joinToken = Type.Object(
  {
    url: serviceUrl,
    /**
     * SHA-256 over the SubjectPublicKeyInfo, DER, of the certificate that the service's TLS certificate chain must lead to:
     * its CA's, or its own. The service sends that certificate in its chain. RFC 7469, 2.4, in hexadecimal.
     */
    caSha256: sha256Hex,
    /** One-time and expiring: `joining.token` of an enrolment. */
    token: Type.String({ minLength: 16, maxLength: 256 }),
  },
  strict,
);
/** All that a machine has to be told to join: where the service is, how to know it, and the leave to come in. */
export type JoinToken = Static<typeof joinToken>;

const PREFIX = 'vs1.';
const MAX_TEXT_CHARS = 2048;

/** One word, to be copied: `vs1.` and base64url of the JSON. It is a secret until it is used or has expired. */
export function formatJoinToken({ url, caSha256, token }: JoinToken): string {
  return PREFIX + encodeBase64url(utf8(JSON.stringify({ url, caSha256, token })));
}

/**
 * @throws {ProtocolError} 'join_token_malformed'; the message repeats nothing of the text
 */
export function parseJoinToken(text: string): JoinToken {
  if (!text.startsWith(PREFIX) || text.length > MAX_TEXT_CHARS)
    throw malformed(`a text that does not begin with ${PREFIX}`);
  let value: unknown;
  try {
    value = JSON.parse(parseUtf8(parseBase64url(text.slice(PREFIX.length))));
  } catch (error) {
    if (error instanceof ProtocolError || error instanceof TextError || error instanceof SyntaxError)
      throw malformed('a text that was cut short or changed');
    throw error;
  }
  if (!Value.Check(joinToken, value)) throw malformed('other contents');
  return value;
}

const malformed = (found: string): ProtocolError =>
  new ProtocolError('join_token_malformed', `expected a token as token create prints it, found ${found}`);
