// SPDX-License-Identifier: Apache-2.0
import { parseHex, toHex } from '@vouchsafe/base';
import { bytes } from './bytes.ts';
import type { Codec } from './codec.ts';
import { CodecError } from './error.ts';
import { mapped } from './refine.ts';
import { show } from './show.ts';

const FORM = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/;

/** True for the 8-4-4-4-12 form, in either case. */
export function isUuidText(text: string): boolean {
  return FORM.test(text);
}

function fromText(text: string): Uint8Array {
  if (!isUuidText(text)) {
    throw new CodecError(
      'invalid',
      0,
      `expected xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx in hexadecimal, got ${show(text)}`,
    );
  }
  return parseHex(text.replaceAll('-', ''));
}

function toText(octets: Uint8Array): string {
  const h = toHex(octets);
  return `${h.slice(0, 8)}-${h.slice(8, 12)}-${h.slice(12, 16)}-${h.slice(16, 20)}-${h.slice(20)}`;
}

/** The order of a GUID's octets in memory, by their place in the text. UEFI 2.10, appendix A: three little-endian groups. */
const GUID_ORDER = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
const permuted = (octets: Uint8Array): Uint8Array => Uint8Array.from(GUID_ORDER, (i) => octets[i] as number);

/** A UUID in the order of its text (RFC 9562, section 4); lower-case text. */
export const uuid: Codec<string> = mapped('UUID', bytes(16), toText, fromText);

/** An EFI_GUID, whose first three groups are little-endian (UEFI 2.10, appendix A); lower-case text. */
export const guid: Codec<string> = mapped(
  'EFI_GUID',
  bytes(16),
  (octets) => toText(permuted(octets)),
  (text) => permuted(fromText(text)),
);
