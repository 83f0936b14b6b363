// SPDX-License-Identifier: Apache-2.0
import { ProtocolError } from './error.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const VALUES = new Int8Array(128).fill(-1);
for (const [value, character] of Array.from(ALPHABET).entries()) VALUES[character.charCodeAt(0)] = value;

/** Two digits for 12 bits each. */
const PAIRS = Array.from({ length: 4096 }, (_, bits) => ALPHABET.charAt(bits >> 6) + ALPHABET.charAt(bits & 63));

/** RFC 4648, 5, without padding. */
export function encodeBase64url(bytes: Uint8Array): string {
  let text = '';
  const whole = bytes.length - (bytes.length % 3);
  for (let i = 0; i < whole; i += 3) {
    const group = ((bytes[i] as number) << 16) | ((bytes[i + 1] as number) << 8) | (bytes[i + 2] as number);
    text += (PAIRS[group >> 12] as string) + (PAIRS[group & 4095] as string);
  }
  for (let i = whole; i < bytes.length; i += 3) {
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
  let at = 0;
  const whole = text.length - (text.length % 4);
  for (let i = 0; i < whole; i += 4) {
    const group =
      (valueAt(text, i) << 18) | (valueAt(text, i + 1) << 12) | (valueAt(text, i + 2) << 6) | valueAt(text, i + 3);
    // One that is no digit is -1, which makes all of it negative.
    if (group < 0) throw malformed(`another character between ${i} and ${i + 3}`);
    bytes[at++] = group >> 16;
    bytes[at++] = group >> 8;
    bytes[at++] = group;
  }
  let [held, bits] = [0, 0];
  for (let i = whole; i < text.length; i++) {
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

function valueAt(text: string, i: number): number {
  const code = text.charCodeAt(i);
  return code < 128 ? (VALUES[code] as number) : -1;
}

const malformed = (found: string): ProtocolError =>
  new ProtocolError('base64_malformed', `expected base64url without padding, found ${found}`);
