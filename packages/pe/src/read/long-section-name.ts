// SPDX-License-Identifier: Apache-2.0
import { SYMBOL_BYTES } from '../format/coff-header.ts';
import type { ImageSectionHeader } from '../format/section-header.ts';
import type { PeFile } from './pe-file.ts';
import { readRange } from './read-structure.ts';

/** Names in object files are longer; what is looked for here is not. */
const MAX_NAME_BYTES = 64;

/**
 * The name of a section whose header has no room for it: '/' and the decimal offset of the name in the COFF string table
 * (PE Format, "Section Table (Section Headers)", Name). Executable images should have none, and GNU's linker writes them all
 * the same: shim's .sbatlevel is one. Firmware and stubs never follow it. Undefined for any other name, and one that leads
 * nowhere.
 */
export function longSectionName({ source, fileHeader }: PeFile, { name }: ImageSectionHeader): string | undefined {
  const offset = /^\/(\d{1,7})$/.exec(name)?.[1];
  const { pointerToSymbolTable, numberOfSymbols } = fileHeader;
  if (offset === undefined || pointerToSymbolTable === 0) return undefined;
  const at = pointerToSymbolTable + numberOfSymbols * SYMBOL_BYTES + Number(offset);
  if (at >= source.size) return undefined;
  const bytes = readRange(source, at, Math.min(MAX_NAME_BYTES, source.size - at), 'the name of a section');
  const end = bytes.indexOf(0);
  const text = String.fromCharCode(...bytes.subarray(0, Math.max(0, end)));
  return /^[\x21-\x7e]+$/.test(text) ? text : undefined;
}
