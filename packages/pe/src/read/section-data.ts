// SPDX-License-Identifier: Apache-2.0
import { type ByteSource, readBytes, requireRange, sliceSource } from '@vouchsafe/bytes';
import { PeError } from '../error.ts';
import type { ImageSectionHeader } from '../format/section-header.ts';
import { MAX_TEXT_SECTION_BYTES } from '../limits.ts';
import type { PeFile } from './pe-file.ts';

/**
 * A section as it is in memory and as systemd's stub measures it: VirtualSize octets, zeros where the file has fewer
 * (PE Format, "Section Table": "If this value is greater than SizeOfRawData, the section is zero-padded").
 */
export function sectionSource(pe: PeFile, section: ImageSectionHeader): ByteSource {
  const { name, virtualSize, sizeOfRawData, pointerToRawData } = section;
  const label = `${pe.source.label}: ${name}`;
  const inFile = Math.min(virtualSize, sizeOfRawData);
  const data = sliceSource(pe.source, inFile === 0 ? 0 : pointerToRawData, inFile, label);
  return inFile === virtualSize ? data : zeroPadded(data, virtualSize);
}

/** The first section of that name; undefined when there is none. */
export function findSection(pe: PeFile, name: string): ImageSectionHeader | undefined {
  return pe.sections.find((section) => section.name === name);
}

/**
 * A small section whole; undefined when there is none of that name.
 * @throws {PeError} 'limit'.
 */
export function readSmallSection(pe: PeFile, name: string): Uint8Array | undefined {
  const section = findSection(pe, name);
  return section === undefined ? undefined : readSmallData(pe, section);
}

/**
 * The content of a small section.
 * @throws {PeError} 'limit'.
 */
export function readSmallData(pe: PeFile, section: ImageSectionHeader): Uint8Array {
  const { name } = section;
  if (section.virtualSize > MAX_TEXT_SECTION_BYTES) {
    const message = `${pe.source.label}: expected section ${name} of at most ${MAX_TEXT_SECTION_BYTES} octets, found ${section.virtualSize}`;
    throw new PeError('limit', message, { offset: section.pointerToRawData });
  }
  return readBytes(sectionSource(pe, section), 0, section.virtualSize);
}

/** The source, then zeros up to `size` octets. */
export function zeroPadded(source: ByteSource, size: number): ByteSource {
  const padded: ByteSource = {
    size,
    label: source.label,
    read(offset, target) {
      requireRange(padded, offset, target.length);
      const there = Math.max(0, Math.min(target.length, source.size - offset));
      if (there > 0) source.read(offset, target.subarray(0, there));
      target.fill(0, there);
    },
  };
  return padded;
}
