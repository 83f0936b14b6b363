// SPDX-License-Identifier: Apache-2.0
import { parseUtf8, TextError } from '@vouchsafe/base';
import { CodecError, decode, rest, utf16le } from '@vouchsafe/codec';

/** Text of an event, and how it was written. */
export interface EventText {
  readonly encoding: 'utf-8' | 'utf-16le';
  /** Without the NUL at its end, if there was one. */
  readonly text: string;
}

/** Characters that a terminal or a log viewer acts upon: no text of a boot has them, an injected one may. */
function hasControls(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if ((unit < 0x20 && unit !== 0x09 && unit !== 0x0a && unit !== 0x0d) || unit === 0x7f) return true;
  }
  return false;
}

const withoutNul = (text: string): string => (text.endsWith('\0') ? text.slice(0, -1) : text);

/** Texts up to this many octets are read at once. */
const MAX_PLAIN_BYTES = 4096;

/** Printable ASCII with at most one NUL, at its end: what nearly all texts of a boot are. Undefined for all else. */
function plainAscii(bytes: Uint8Array): string | undefined {
  const end = bytes[bytes.length - 1] === 0 ? bytes.length - 1 : bytes.length;
  if (end > MAX_PLAIN_BYTES) return undefined;
  for (let i = 0; i < end; i++) {
    const octet = bytes[i] as number;
    if (octet < 0x20 || octet > 0x7e) return undefined;
  }
  return String.fromCharCode.apply(null, bytes.subarray(0, end) as unknown as number[]);
}

/**
 * The text of an EV_IPL, EV_ACTION or tagged event, or undefined where it is none. Nothing in an event says which
 * encoding it has: EFI programs such as systemd-stub write UTF-16LE, GRUB, shim and firmware write ASCII.
 */
export function textOf(bytes: Uint8Array): EventText | undefined {
  const plain = plainAscii(bytes);
  if (plain !== undefined) return plain === '' ? undefined : { encoding: 'utf-8', text: plain };
  const isWide = bytes.length >= 2 && bytes.length % 2 === 0 && bytes[0] !== 0 && bytes[1] === 0;
  try {
    const text = withoutNul(isWide ? decode(utf16le(rest), bytes) : parseUtf8(bytes));
    return hasControls(text) || text === '' ? undefined : { encoding: isWide ? 'utf-16le' : 'utf-8', text };
  } catch (error) {
    if (error instanceof TextError || error instanceof CodecError) return undefined;
    throw error;
  }
}
