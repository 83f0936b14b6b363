// SPDX-License-Identifier: Apache-2.0
import { VouchsafeError } from './error.ts';

export class HexError extends VouchsafeError<'hex_invalid'> {
  override readonly name = 'HexError';
  readonly code = 'hex_invalid';
}

const PAIRS = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'));

/** Most of what is written so are digests of this length. */
const SHA256_BYTES = 32;
const DIGITS = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));
const codes = new Uint8Array(2 * SHA256_BYTES);

/** All at once: a text that grows by pairs takes near twice as long, and again where it is looked up. */
function digestHex(bytes: Uint8Array): string {
  for (let i = 0; i < SHA256_BYTES; i++) {
    const byte = bytes[i] as number;
    codes[2 * i] = DIGITS[byte >> 4] as number;
    codes[2 * i + 1] = DIGITS[byte & 15] as number;
  }
  return String.fromCharCode.apply(undefined, codes as unknown as number[]);
}

/** Lower-case hexadecimal, two digits a byte, no separators. */
export function toHex(bytes: Uint8Array): string {
  if (bytes.length === SHA256_BYTES) return digestHex(bytes);
  let text = '';
  for (const byte of bytes) text += PAIRS[byte];
  return text;
}

/**
 * Hexadecimal digits of either case to bytes.
 * @throws {HexError} on an odd number of digits or anything that is not a digit.
 */
export function parseHex(text: string): Uint8Array {
  if (text.length % 2 !== 0) throw new HexError(`expected an even number of hexadecimal digits, got ${text.length}`);
  const bad = text.search(/[^0-9a-fA-F]/);
  if (bad >= 0) throw new HexError(`expected a hexadecimal digit at character ${bad + 1}`);
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = (digit(text, 2 * i) << 4) | digit(text, 2 * i + 1);
  return bytes;
}

/** Of a digit of either case: 9 more than its low half where it is a letter, whose codes have bit 6. */
function digit(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return (code & 0xf) + (code >> 6) * 9;
}
