// SPDX-License-Identifier: Apache-2.0
import { parseUtf8, TextError } from '@vouchsafe/base';
import { readSmallFile } from '../parse.ts';
import { ServiceClientError } from './error.ts';

/** A policy, or other text, out of a file. @throws {ServiceClientError} 'nothing_to_send' @throws {BytesError} */
export function textToSend(file: string): string {
  try {
    return parseUtf8(readSmallFile(file, 1024 * 1024));
  } catch (cause) {
    if (!(cause instanceof TextError)) throw cause;
    throw new ServiceClientError('nothing_to_send', `${file}: expected text, found other octets`, { cause });
  }
}
