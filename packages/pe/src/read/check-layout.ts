// SPDX-License-Identifier: Apache-2.0
import type { Finding } from '@vouchsafe/base';
import { SECTION_FLAG, SECTION_HEADER_BYTES } from '../format/section-header.ts';
import type { PeFile } from './pe-file.ts';

export type LayoutFindingCode =
  | 'sections_overlap' // two sections, or one and the headers, share memory
  | 'section_outside_image' // a section ends behind SizeOfImage
  | 'section_misaligned' // an address that is no multiple of SectionAlignment
  | 'section_writable_code'; // memory that is both written and executed

/**
 * What a loader would trip over, although the file can be read. Overlapping sections are what ukify before systemd 254 and
 * hand-made objcopy calls produce: the later one overwrites the earlier in memory, and the machine does not boot.
 */
export function checkLayout({ source, sections, optionalHeader, offsets }: PeFile): Finding<LayoutFindingCode>[] {
  const findings: Finding<LayoutFindingCode>[] = [];
  const { sectionAlignment, sizeOfImage, sizeOfHeaders } = optionalHeader;
  const hex = (value: number): string => `0x${value.toString(16)}`;
  const placed = sections
    .map((section, i) => ({ ...section, offset: offsets.sectionTable + i * SECTION_HEADER_BYTES }))
    .filter(({ virtualSize }) => virtualSize > 0)
    .toSorted((a, b) => a.virtualAddress - b.virtualAddress);
  let end = sizeOfHeaders;
  let before = 'the headers';
  for (const { name, virtualAddress, virtualSize, characteristics, offset } of placed) {
    const where = { artefact: source.label, path: name, offset };
    const add = (
      code: LayoutFindingCode,
      severity: 'error' | 'warning',
      expected: string,
      actual: string,
      hint: string,
    ) => findings.push({ code, severity, where, expected, actual, hint });
    if (virtualAddress < end) {
      const hint = `section ${name} lies over ${before} in memory; build the image again with addresses apart`;
      add('sections_overlap', 'error', `an address from ${hex(end)}`, hex(virtualAddress), hint);
    }
    if (virtualAddress + virtualSize > sizeOfImage) {
      const hint = `firmware does not load section ${name} whole`;
      add(
        'section_outside_image',
        'error',
        `an end up to ${hex(sizeOfImage)}`,
        hex(virtualAddress + virtualSize),
        hint,
      );
    }
    if (sectionAlignment > 0 && virtualAddress % sectionAlignment !== 0) {
      const hint = `firmware that protects memory may refuse section ${name}`;
      add('section_misaligned', 'warning', `a multiple of ${hex(sectionAlignment)}`, hex(virtualAddress), hint);
    }
    if ((characteristics & SECTION_FLAG.memWrite) !== 0 && (characteristics & SECTION_FLAG.memExecute) !== 0) {
      const hint = `firmware that protects memory refuses section ${name}`;
      add('section_writable_code', 'warning', 'writable or executable', 'both', hint);
    }
    if (virtualAddress + virtualSize > end) {
      end = virtualAddress + virtualSize;
      before = `section ${name}`;
    }
  }
  return findings;
}
