// SPDX-License-Identifier: Apache-2.0

import { alignUp } from '../align.ts';
import { PeError } from '../error.ts';
import { SYMBOL_BYTES } from '../format/coff-header.ts';
import { DEBUG_DIRECTORY } from '../format/data-directory.ts';
import { SECTION_HEADER_BYTES } from '../format/section-header.ts';
import { MAX_HEADERS_BYTES } from '../limits.ts';
import type { PeFile } from '../read/pe-file.ts';
import { readRange } from '../read/read-structure.ts';
import { sectionsInFileOrder } from '../read/section-table.ts';

const MAX_ALIGNMENT = 2 ** 24;

/**
 * What a file must be for its layout to be rebuilt: unsigned, alignments that are powers of two, and nothing in it but
 * headers, sections and a symbol table, so that nothing is lost.
 * @throws {PeError} 'stub_unsuitable'.
 */
export function requireStub(stub: PeFile): void {
  const { source, optionalHeader, certificateTable } = stub;
  const unsuitable = (message: string): PeError => new PeError('stub_unsuitable', `${source.label}: ${message}`);
  for (const [name, value] of [
    ['FileAlignment', optionalHeader.fileAlignment],
    ['SectionAlignment', optionalHeader.sectionAlignment],
  ] as const) {
    if (value < 2 || value > MAX_ALIGNMENT || (value & (value - 1)) !== 0) {
      throw unsuitable(`expected a power of two from 2 to ${MAX_ALIGNMENT} as ${name}, found ${value}`);
    }
  }
  if (certificateTable !== undefined) {
    throw unsuitable('expected an unsigned stub, found a signature, which would not hold any more; remove it first');
  }
  const end = sectionsInFileOrder(stub.sections).reduce(
    (last, { pointerToRawData, sizeOfRawData }) => Math.max(last, pointerToRawData + sizeOfRawData),
    optionalHeader.sizeOfHeaders,
  );
  if (symbolTableEnd(stub) === source.size) return;
  const trailing = source.size - end;
  const isPadding =
    trailing <= MAX_HEADERS_BYTES && readRange(source, end, trailing, 'the end').every((octet) => octet === 0);
  if (!isPadding) throw unsuitable(`expected the end of the file after the sections, found ${trailing} octets more`);
}

/**
 * Where symbols and their names end. Images should have none, but stubs before systemd 254 do. PE Format, "COFF Symbol
 * Table (Object-Only)" and "COFF String Table".
 */
function symbolTableEnd({ source, fileHeader }: PeFile): number | undefined {
  const { pointerToSymbolTable, numberOfSymbols } = fileHeader;
  if (pointerToSymbolTable === 0) return undefined;
  const strings = pointerToSymbolTable + numberOfSymbols * SYMBOL_BYTES;
  if (strings + 4 > source.size) return strings;
  const size = readRange(source, strings, 4, 'the size of the string table');
  return strings + new DataView(size.buffer).getUint32(0, true);
}

/**
 * SizeOfHeaders for a section table of `count` entries. Headers are mapped below the first section, so that is how far
 * they can grow.
 * @throws {PeError} 'stub_unsuitable'.
 */
export function sizeOfHeadersFor(stub: PeFile, count: number): number {
  const { sizeOfHeaders, fileAlignment } = stub.optionalHeader;
  const needed = stub.offsets.sectionTable + count * SECTION_HEADER_BYTES;
  const size = alignUp(Math.max(sizeOfHeaders, needed), fileAlignment);
  const first = stub.sections.reduce((least, { virtualAddress }) => Math.min(least, virtualAddress), 2 ** 32);
  const what = `${stub.source.label}: expected room for a table of ${count} sections`;
  if (size > first) {
    const message = `${what} in ${size} octets, but the first section begins at ${first} in memory`;
    throw new PeError('stub_unsuitable', message);
  }
  // The debug directory holds file offsets of its own, which would point elsewhere.
  if (size > sizeOfHeaders && (stub.dataDirectories[DEBUG_DIRECTORY]?.size ?? 0) > 0) {
    throw new PeError('stub_unsuitable', `${what}, but the headers cannot grow in a file with a debug directory`);
  }
  return size;
}
