// SPDX-License-Identifier: Apache-2.0
import { readBytes } from '@vouchsafe/bytes';
import { SYMBOL_BYTES } from '../format/coff-header.ts';
import type { ImageSectionHeader } from '../format/section-header.ts';
import type { PeFile } from './pe-file.ts';

/** Names are of a compiler, not of people. */
const MAX_NAME_BYTES = 128;

/**
 * The section's name, from the string table where it has more than eight characters: there the header has '/26', a place
 * in that table. PE Format, "Section Table" and "COFF String Table". Microsoft says this of object files; shim's linker
 * does it in an image too. A name that leads nowhere is returned as it is.
 */
export function longSectionName(pe: PeFile, { name }: ImageSectionHeader): string {
  const place = /^\/(\d{1,7})$/.exec(name)?.[1];
  const { pointerToSymbolTable, numberOfSymbols } = pe.fileHeader;
  if (place === undefined || pointerToSymbolTable === 0) return name;
  const at = pointerToSymbolTable + numberOfSymbols * SYMBOL_BYTES + Number(place);
  if (at >= pe.source.size) return name;
  const bytes = readBytes(pe.source, at, Math.min(MAX_NAME_BYTES, pe.source.size - at));
  const end = bytes.indexOf(0);
  const text = String.fromCharCode(...bytes.subarray(0, Math.max(0, end)));
  return /^[!-~]{1,127}$/.test(text) ? text : name;
}
