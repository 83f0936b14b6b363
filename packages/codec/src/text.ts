// SPDX-License-Identifier: Apache-2.0
import { ascii } from '@vouchsafe/base';
import { requireDeclared } from './bounds.ts';
import { bytes } from './bytes.ts';
import type { Codec } from './codec.ts';
import { CodecError } from './error.ts';
import { mapped } from './refine.ts';
import { show } from './show.ts';

/** Thrown inside `mapped`, which adds the place. */
const refuse = (message: string): never => {
  throw new CodecError('invalid', 0, message);
};

/** ASCII text in a cell of `capacity` bytes, filled up with NULs; a text that fills the cell has none. */
export function asciiCell(capacity: number): Codec<string> {
  requireDeclared('the capacity of a cell', capacity);
  return mapped(
    `ascii(${capacity})`,
    bytes(capacity),
    (cell) => {
      const nul = cell.indexOf(0);
      const end = nul < 0 ? capacity : nul;
      let text = '';
      for (let i = 0; i < capacity; i++) {
        const byte = cell[i] as number;
        if (i >= end ? byte !== 0 : byte > 0x7f)
          refuse(`byte ${i} is 0x${byte.toString(16)}, expected ${i >= end ? 'NUL' : 'ASCII'}`);
        if (i < end) text += String.fromCharCode(byte);
      }
      return text;
    },
    (text) => {
      requireText(text);
      if (text.length > capacity) refuse(`${text.length} characters exceed ${capacity}`);
      if (text.includes('\0')) refuse('a NUL inside the text');
      const cell = new Uint8Array(capacity);
      cell.set(ascii(text));
      return cell;
    },
  );
}

const CHUNK = 4096;

/** Little-endian UTF-16 code units to text; lone surrogates are kept, so that writing gives the same bytes. */
function fromUtf16le(units: Uint8Array): string {
  if (units.length % 2 !== 0) refuse(`${units.length} bytes are not whole UTF-16 units`);
  const view = new DataView(units.buffer, units.byteOffset, units.byteLength);
  let text = '';
  for (let from = 0; from < units.length; from += 2 * CHUNK) {
    const codes: number[] = [];
    for (let at = from; at < Math.min(units.length, from + 2 * CHUNK); at += 2) codes.push(view.getUint16(at, true));
    text += String.fromCharCode(...codes);
  }
  return text;
}

/** A number has no length, and would be written as nothing. */
function requireText(text: unknown): void {
  if (typeof text !== 'string') refuse(`expected a text, got ${show(text)}`);
}

function toUtf16le(text: string): Uint8Array {
  requireText(text);
  const units = new Uint8Array(2 * text.length);
  const view = new DataView(units.buffer);
  for (let i = 0; i < text.length; i++) view.setUint16(2 * i, text.charCodeAt(i), true);
  return units;
}

/** UTF-16LE text over all of `inner`, with no terminator; UEFI's CHAR16 arrays where a size stands beside them. */
export function utf16le(inner: Codec<Uint8Array>): Codec<string> {
  return mapped(`UTF-16LE in ${inner.name}`, inner, fromUtf16le, toUtf16le);
}

/** UTF-16LE text over all of `inner`, ended by exactly one NUL, which is not part of the value. */
export function utf16leNul(inner: Codec<Uint8Array>): Codec<string> {
  return mapped(
    `NUL-terminated UTF-16LE in ${inner.name}`,
    inner,
    (units) => {
      const text = fromUtf16le(units);
      if (text === '' || text.indexOf('\0') !== text.length - 1) refuse('expected one NUL, at the end');
      return text.slice(0, -1);
    },
    (text) => {
      requireText(text);
      if (text.includes('\0')) refuse('a NUL inside the text');
      return toUtf16le(`${text}\0`);
    },
  );
}

/** UTF-16LE text in a cell of `units` code units, filled up with NULs; a text that fills the cell has none. */
export function utf16leCell(units: number): Codec<string> {
  requireDeclared('the capacity of a cell', units);
  return mapped(
    `UTF-16LE(${units})`,
    bytes(2 * units),
    (cell) => {
      const text = fromUtf16le(cell);
      const nul = text.indexOf('\0');
      const end = nul < 0 ? units : nul;
      if (/[^\0]/.test(text.slice(end))) refuse('text after the first NUL');
      return text.slice(0, end);
    },
    (text) => {
      requireText(text);
      if (text.length > units) refuse(`${text.length} code units exceed ${units}`);
      if (text.includes('\0')) refuse('a NUL inside the text');
      const cell = new Uint8Array(2 * units);
      cell.set(toUtf16le(text));
      return cell;
    },
  );
}
