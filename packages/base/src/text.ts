// SPDX-License-Identifier: Apache-2.0
import { VouchsafeError } from './error.ts';

export class TextError extends VouchsafeError<'text_invalid'> {
  override readonly name = 'TextError';
  readonly code = 'text_invalid';
}

// Made when they are needed: hosts load them then.
let encoder: TextEncoder | undefined;
let strictUtf8: TextDecoder | undefined;

/** Up to so many characters a loop is faster than the host's encoder: names, mostly. */
const SHORT_CHARS = 48;

/** UTF-8 bytes of a text. */
export function utf8(text: string): Uint8Array {
  if (text.length <= SHORT_CHARS) {
    const bytes = new Uint8Array(text.length);
    let i = 0;
    for (; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) break;
      bytes[i] = unit;
    }
    if (i === text.length) return bytes;
  }
  encoder ??= new TextEncoder();
  return encoder.encode(text);
}

/**
 * UTF-8 bytes to text; a byte order mark is kept as a character, so that encoding gives the same bytes back.
 * @throws {TextError} on bytes that are not UTF-8.
 */
export function parseUtf8(bytes: Uint8Array): string {
  if (isShortAscii(bytes)) return String.fromCharCode.apply(undefined, bytes as unknown as number[]);
  strictUtf8 ??= new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  try {
    return strictUtf8.decode(bytes);
  } catch (cause) {
    throw new TextError('expected UTF-8 text', { cause });
  }
}

function isShortAscii(bytes: Uint8Array): boolean {
  if (bytes.length > SHORT_CHARS) return false;
  for (let i = 0; i < bytes.length; i++) if ((bytes[i] as number) > 0x7f) return false;
  return true;
}

/**
 * One byte a character, for the constants of formats.
 * @throws {TextError} on a character above U+007F.
 */
export function ascii(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f)
      throw new TextError(`expected ASCII, got U+${unit.toString(16).padStart(4, '0')} at character ${i + 1}`);
    bytes[i] = unit;
  }
  return bytes;
}
