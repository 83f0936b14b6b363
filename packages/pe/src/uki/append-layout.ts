// SPDX-License-Identifier: Apache-2.0
import type { ByteSource } from '@vouchsafe/bytes';
import { alignUp } from '../align.ts';
import { PeError } from '../error.ts';
import { type ImageSectionHeader, SECTION_FLAG } from '../format/section-header.ts';
import { MAX_SECTIONS } from '../limits.ts';
import type { PeFile } from '../read/pe-file.ts';
import { sectionSource } from '../read/section-data.ts';
import { sectionsInFileOrder } from '../read/section-table.ts';
import { isRepeatableSection, isUkiSectionName } from './section-names.ts';
import { requireStub, sizeOfHeadersFor } from './stub-rules.ts';

/** A section to put into a file. */
export interface NewSection {
  /** With its dot, up to 8 characters. */
  readonly name: string;
  readonly content: ByteSource;
}

/** One section of the file to be written, and where its octets come from. */
export interface PlacedSection {
  readonly header: ImageSectionHeader;
  readonly content: ByteSource;
}

/** Everything about the file to be written but its octets. */
export interface AppendLayout {
  /** In the order of the table. */
  readonly sections: readonly PlacedSection[];
  readonly sizeOfHeaders: number;
  readonly sizeOfImage: number;
  readonly sizeOfInitializedData: number;
  /** Of the file. */
  readonly sizeBytes: number;
  /** Whether the symbol table of the stub is left out. */
  readonly isSymbolTableDropped: boolean;
}

const ADDRESS_END = 2 ** 32;

/**
 * Where everything goes when sections are added to a stub, by the rules of ukify (systemd 257, src/ukify/ukify.py,
 * pe_add_sections), so that both give the same file: behind the last section in memory and in the file, each at its
 * alignment, VirtualSize the true length.
 *
 * A section that the stub has (.sbat) is replaced in its place. Where it has no room there, in memory as in the file, it
 * goes to the end instead: ukify writes it over the section that follows. Where the headers have no room for the table
 * they grow, which ukify does not do; the stub's sections then move in the file, not in memory.
 * @throws {PeError} 'stub_unsuitable', 'options_invalid', 'limit'.
 */
export function layOutAppended(stub: PeFile, added: readonly NewSection[]): AppendLayout {
  requireStub(stub);
  const { replaced, dropped, appended } = sortOut(stub, added);
  const remaining = stub.sections.filter((header) => !dropped.has(header));
  const count = remaining.length + appended.length;
  if (count > MAX_SECTIONS) throw new PeError('limit', `expected at most ${MAX_SECTIONS} sections, found ${count}`);
  const { fileAlignment, sectionAlignment, sizeOfInitializedData } = stub.optionalHeader;
  const sizeOfHeaders = sizeOfHeadersFor(stub, count);
  let fileEnd = sizeOfHeaders;
  const moved = new Map<ImageSectionHeader, PlacedSection>();
  for (const header of sectionsInFileOrder(remaining)) {
    const placed = placeStubSection(stub, header, replaced.get(header), fileEnd);
    moved.set(header, placed);
    fileEnd += placed.header.sizeOfRawData;
  }
  // Those without octets in the file, such as .bss, stay as they are.
  const sections = remaining.map((header) => moved.get(header) ?? { header, content: sectionSource(stub, header) });
  let memoryEnd = stub.sections.reduce((end, header) => Math.max(end, header.virtualAddress + header.virtualSize), 0);
  for (const { name, content } of appended) {
    const virtualAddress = alignUp(memoryEnd, sectionAlignment);
    memoryEnd = virtualAddress + content.size;
    const sizeOfRawData = alignUp(content.size, fileAlignment);
    sections.push({ header: newHeader(name, virtualAddress, content.size, sizeOfRawData, fileEnd), content });
    fileEnd += sizeOfRawData;
  }
  const sizeOfImage = alignUp(memoryEnd, sectionAlignment);
  if (sizeOfImage >= ADDRESS_END || fileEnd >= ADDRESS_END) {
    const message = `expected an image below 4 GiB, as its format has 32-bit sizes, found ${Math.max(fileEnd, sizeOfImage)} octets`;
    throw new PeError('limit', message);
  }
  const addedBytes = appended.reduce((sum, { content }) => sum + content.size, 0);
  return {
    sections,
    sizeOfHeaders,
    sizeOfImage,
    sizeOfInitializedData: (sizeOfInitializedData + addedBytes) % ADDRESS_END,
    sizeBytes: fileEnd,
    isSymbolTableDropped: stub.fileHeader.pointerToSymbolTable !== 0,
  };
}

interface SortedSections {
  /** New content for sections of the stub that stay where they are. */
  readonly replaced: ReadonlyMap<ImageSectionHeader, ByteSource>;
  /** Sections of the stub that go, as their new content is among `appended`. */
  readonly dropped: ReadonlySet<ImageSectionHeader>;
  readonly appended: readonly NewSection[];
}

function sortOut(stub: PeFile, added: readonly NewSection[]): SortedSections {
  const replaced = new Map<ImageSectionHeader, ByteSource>();
  const dropped = new Set<ImageSectionHeader>();
  const appended: NewSection[] = [];
  for (const section of added) {
    const { name, content } = section;
    requireName(name);
    if (content.size === 0) throw invalid(`expected content for section ${name}, found none; leave it out`);
    const own = isRepeatableSection(name) ? undefined : stub.sections.find((header) => header.name === name);
    if (own === undefined) {
      appended.push(section);
      continue;
    }
    // Its code and what that needs are found by address: other content would not be looked for, or would be executed.
    if (!isUkiSectionName(name))
      throw invalid(`expected another name than ${name}, which is a section of the stub's code`);
    if (replaced.has(own) || dropped.has(own)) throw invalid(`expected section ${name}, which the stub has, once`);
    if (content.size <= roomOf(stub, own)) {
      replaced.set(own, content);
    } else {
      dropped.add(own);
      appended.push(section);
    }
  }
  return { replaced, dropped, appended };
}

function invalid(message: string): PeError {
  return new PeError('options_invalid', message);
}

function requireName(name: string): void {
  if (!/^\.[\x21-\x7e]{1,7}$/.test(name)) {
    throw invalid(`expected a section name of a dot and 1 to 7 ASCII characters, found '${name.slice(0, 40)}'`);
  }
}

/** Octets that a section can have before the next one begins in memory; none when it has no place in the file. */
function roomOf(stub: PeFile, { virtualAddress, virtualSize, sizeOfRawData }: ImageSectionHeader): number {
  if (sizeOfRawData === 0) return 0;
  const next = stub.sections.reduce(
    (least, other) => (other.virtualAddress > virtualAddress ? Math.min(least, other.virtualAddress) : least),
    // The last one may grow into its last page only: what is added begins behind it.
    alignUp(virtualAddress + virtualSize, stub.optionalHeader.sectionAlignment),
  );
  return next - virtualAddress;
}

/** A section of the stub at its new place in the file, padded where an old stub's are not aligned. */
function placeStubSection(
  stub: PeFile,
  header: ImageSectionHeader,
  content: ByteSource | undefined,
  pointerToRawData: number,
): PlacedSection {
  const { fileAlignment } = stub.optionalHeader;
  if (content === undefined) {
    const octets = sectionSource(stub, { ...header, virtualSize: header.sizeOfRawData });
    const sizeOfRawData = alignUp(header.sizeOfRawData, fileAlignment);
    return { header: { ...header, sizeOfRawData, pointerToRawData }, content: octets };
  }
  const sizeOfRawData = alignUp(Math.max(header.sizeOfRawData, content.size), fileAlignment);
  return { header: { ...header, virtualSize: content.size, sizeOfRawData, pointerToRawData }, content };
}

function newHeader(
  name: string,
  virtualAddress: number,
  virtualSize: number,
  sizeOfRawData: number,
  pointerToRawData: number,
): ImageSectionHeader {
  // Kernels that use the EFI handover protocol are executed where they are, so systemd wants .linux to be code.
  const kind = name === '.linux' ? SECTION_FLAG.cntCode : SECTION_FLAG.cntInitializedData;
  return {
    name,
    virtualSize,
    virtualAddress,
    sizeOfRawData,
    pointerToRawData,
    pointerToRelocations: 0,
    pointerToLinenumbers: 0,
    numberOfRelocations: 0,
    numberOfLinenumbers: 0,
    characteristics: SECTION_FLAG.memRead | kind,
  };
}
