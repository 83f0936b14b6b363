// SPDX-License-Identifier: Apache-2.0
import type { ByteSource } from '@vouchsafe/bytes';
import { PeError } from '../error.ts';
import type { ImageFileHeader } from '../format/coff-header.ts';
import type { ImageOptionalHeader } from '../format/optional-header.ts';
import { type ImageSectionHeader, imageSectionHeader, SECTION_HEADER_BYTES } from '../format/section-header.ts';
import { MAX_HEADERS_BYTES, MAX_SECTIONS } from '../limits.ts';
import { readStructure } from './read-structure.ts';

/** Addresses in an image are 32 bits wide. */
const ADDRESS_END = 2 ** 32;

/**
 * The section table, each range checked. PE Format, "Section Table (Section Headers)".
 * @throws {PeError} 'limit', 'truncated', 'header_malformed', 'section_range', 'section_overlap'.
 */
export function readSectionTable(
  source: ByteSource,
  offset: number,
  { numberOfSections }: ImageFileHeader,
  { sizeOfHeaders }: ImageOptionalHeader,
): readonly ImageSectionHeader[] {
  const { label } = source;
  if (numberOfSections > MAX_SECTIONS) {
    const message = `${label}: expected at most ${MAX_SECTIONS} sections, found ${numberOfSections}`;
    throw new PeError('limit', message, { offset });
  }
  if (sizeOfHeaders > MAX_HEADERS_BYTES) {
    const message = `${label}: expected at most ${MAX_HEADERS_BYTES} octets of headers, found ${sizeOfHeaders}`;
    throw new PeError('limit', message, { offset });
  }
  if (sizeOfHeaders > source.size) {
    const message = `${label}: expected ${sizeOfHeaders} octets of headers, but the file ends at ${source.size}`;
    throw new PeError('truncated', message, { offset });
  }
  // A table beyond SizeOfHeaders is not covered by a signature as headers are.
  const end = offset + numberOfSections * SECTION_HEADER_BYTES;
  if (end > sizeOfHeaders) {
    const message = `${label}: expected the section table to end within the ${sizeOfHeaders} octets of headers, found its end at ${end}`;
    throw new PeError('header_malformed', message, { offset });
  }
  const at = (index: number): number => offset + index * SECTION_HEADER_BYTES;
  const sections = Array.from({ length: numberOfSections }, (_, i) => readStructure(source, imageSectionHeader, at(i)));
  for (const [i, section] of sections.entries()) requireRange(source, section, at(i));
  requireApart(label, sections, sizeOfHeaders, offset);
  return sections;
}

/** All fields are 32 bits wide, so sums are exact numbers here and nothing wraps unseen. */
function requireRange(source: ByteSource, section: ImageSectionHeader, offset: number): void {
  const { name, virtualAddress, virtualSize, pointerToRawData, sizeOfRawData } = section;
  if (virtualAddress + virtualSize > ADDRESS_END) {
    const message = `${source.label}: expected section ${name} to end within 4 GiB of memory, found ${virtualSize} octets at 0x${virtualAddress.toString(16)}`;
    throw new PeError('section_range', message, { offset });
  }
  if (sizeOfRawData > 0 && pointerToRawData + sizeOfRawData > source.size) {
    const message = `${source.label}: expected section ${name} to end within the file's ${source.size} octets, found its end at ${pointerToRawData + sizeOfRawData}`;
    throw new PeError('section_range', message, { offset });
  }
}

/**
 * Octets that two sections share would be hashed twice by firmware and once by others, and seen under two names; no
 * linker writes such a file.
 */
function requireApart(
  label: string,
  sections: readonly ImageSectionHeader[],
  sizeOfHeaders: number,
  offset: number,
): void {
  let end = sizeOfHeaders;
  let before = 'the headers';
  for (const section of sectionsInFileOrder(sections)) {
    if (section.pointerToRawData < end) {
      const message = `${label}: expected section ${section.name} after ${before}, which end at ${end}, found it at ${section.pointerToRawData}`;
      throw new PeError('section_overlap', message, { offset });
    }
    end = section.pointerToRawData + section.sizeOfRawData;
    before = `the octets of section ${section.name}`;
  }
}

/** Sections that have octets in the file, by their place there. */
export function sectionsInFileOrder(sections: readonly ImageSectionHeader[]): ImageSectionHeader[] {
  return sections
    .filter(({ sizeOfRawData }) => sizeOfRawData > 0)
    .toSorted((a, b) => a.pointerToRawData - b.pointerToRawData);
}
