// SPDX-License-Identifier: Apache-2.0
import { ProtocolError } from './error.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const VALUES = new Int8Array(128).fill(-1);
for (const [value, character] of Array.from(ALPHABET).entries()) VALUES[character.charCodeAt(0)] = value;

/** RFC 4648, 5, without padding. */
export function encodeBase64url(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const group = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    const left = bytes.length - i;
    text += ALPHABET.charAt(group >> 18) + ALPHABET.charAt((group >> 12) & 63);
    if (left > 1) text += ALPHABET.charAt((group >> 6) & 63);
    if (left > 2) text += ALPHABET.charAt(group & 63);
  }
  return text;
}

/**
 * RFC 4648, 5: no padding, no white space, and the unused bits of the last digit zero (3.5), so that two texts never stand
 * for the same octets.
 * @throws {ProtocolError} 'base64_malformed'
 */
export function parseBase64url(text: string): Uint8Array {
  if (text.length % 4 === 1) throw malformed(`a length of ${text.length} characters, which no octets have`);
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let [at, held, bits] = [0, 0, 0];
  for (let i = 0; i < text.length; i++) {
    const value = VALUES[text.charCodeAt(i)] ?? -1;
    if (value < 0) throw malformed(`another character at ${i}`);
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at++] = held >> bits;
  }
  if ((held & ((1 << bits) - 1)) !== 0) throw malformed('unused bits that are not zero');
  return bytes;
}

const malformed = (found: string): ProtocolError =>
  new ProtocolError('base64_malformed', `expected base64url without padding, found ${found}`);
