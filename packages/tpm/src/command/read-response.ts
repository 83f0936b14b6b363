// SPDX-License-Identifier: Apache-2.0
import { decodeAt, u32be } from '@vouchsafe/codec';
import { TpmError } from '../error.ts';
import { decodeReturnCode, TpmResponseError } from '../return-code/return-code.ts';
import { HEADER_BYTES, responseHeader } from '../structures/header.ts';
import type { AnyCommand } from './command.ts';

/** A response taken apart, its parameters as they came. */
export interface Answer {
  readonly handles: Readonly<Record<string, number>>;
  readonly parameters: Uint8Array;
  /** The authorization area; empty where the command had none. */
  readonly auth: Uint8Array;
}

/**
 * Header, handles, size of the parameters, parameters, authorizations. TPM 2.0 Library, Part 1, section 18.
 * @throws {TpmResponseError} @throws {CodecError} @throws {TpmError} 'response_malformed'
 */
export function readResponse(command: AnyCommand, response: Uint8Array, hasSessions: boolean): Answer {
  const { value: head } = decodeAt(responseHeader, response);
  if (head.responseSize !== response.length) {
    const found = `${response.length} of ${head.responseSize} octets`;
    throw new TpmError('response_malformed', `${command.name}: expected a whole response, found ${found}`);
  }
  if (head.responseCode !== 0) throw new TpmResponseError(command.name, decodeReturnCode(head.responseCode));
  const expected = hasSessions ? 'sessions' : 'noSessions';
  if (head.tag !== expected) {
    // Without its authorizations an answer could be anybody's.
    throw new TpmError('response_malformed', `${command.name}: expected the tag ${expected}, found ${head.tag}`);
  }
  const handles: Record<string, number> = {};
  let at = HEADER_BYTES;
  for (const name of command.responseHandles) {
    const { value, end } = decodeAt(u32be, response, at);
    handles[name] = value;
    at = end;
  }
  if (!hasSessions) return { handles, parameters: response.slice(at), auth: new Uint8Array() };
  const { value: size, end } = decodeAt(u32be, response, at);
  if (size > response.length - end) {
    throw new TpmError(
      'response_malformed',
      `${command.name}: expected parameters of at most ${response.length - end}`,
    );
  }
  return { handles, parameters: response.slice(end, end + size), auth: response.slice(end + size) };
}
