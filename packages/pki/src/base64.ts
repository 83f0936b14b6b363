// SPDX-License-Identifier: Apache-2.0
import { PkiError } from './error.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const VALUES = new Map(Array.from(ALPHABET, (character, value) => [character, value]));

/** RFC 4648, 4, with padding and without line breaks. */
export function encodeBase64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const group = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    const left = bytes.length - i;
    text += ALPHABET.charAt(group >> 18) + ALPHABET.charAt((group >> 12) & 63);
    text += left > 1 ? ALPHABET.charAt((group >> 6) & 63) : '=';
    text += left > 2 ? ALPHABET.charAt(group & 63) : '=';
  }
  return text;
}

/**
 * RFC 4648, 4: padded, no white space, and no spelling but the one that encoding gives (3.5), so that two texts never
 * stand for the same bytes.
 * @throws {PkiError} 'base64_malformed' with the offset of the character.
 */
export function parseBase64(text: string): Uint8Array {
  if (text.length % 4 !== 0) {
    throw new PkiError(
      'base64_malformed',
      `expected base64 in groups of four characters, found ${text.length} characters`,
    );
  }
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const digits = text.length - padding;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  let at = 0;
  let held = 0;
  let bits = 0;
  for (let i = 0; i < digits; i++) {
    const value = VALUES.get(text.charAt(i));
    if (value === undefined)
      throw new PkiError('base64_malformed', `expected a base64 digit at character ${i + 1}`, { offset: i });
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at++] = held >> bits;
  }
  if ((held & ((1 << bits) - 1)) !== 0) {
    throw new PkiError('base64_malformed', 'expected the unused bits of the last digit to be zero', {
      offset: digits - 1,
    });
  }
  return bytes;
}
