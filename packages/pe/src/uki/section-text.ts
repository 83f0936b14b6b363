// SPDX-License-Identifier: Apache-2.0
import { parseUtf8, TextError } from '@vouchsafe/base';
import { readBytes } from '@vouchsafe/bytes';
import type { ImageSectionHeader } from '../format/section-header.ts';
import { MAX_TEXT_SECTION_BYTES } from '../limits.ts';
import type { PeFile } from '../read/pe-file.ts';
import { sectionSource } from '../read/section-data.ts';

/** Sections that hold text for people. UAPI.5, "UKI Components". */
const TEXT_SECTIONS: readonly string[] = [
  '.osrel',
  '.cmdline',
  '.uname',
  '.sbat',
  '.pcrpkey',
  '.pcrsig',
  '.profile',
  '.sdmagic',
];

/** True for a section whose content is text by its name. */
export function isTextSection({ name }: ImageSectionHeader): boolean {
  return TEXT_SECTIONS.includes(name);
}

/** The section's text without the NULs that end it; undefined when it is too long or not UTF-8. */
export function sectionText(pe: PeFile, section: ImageSectionHeader): string | undefined {
  if (section.virtualSize > MAX_TEXT_SECTION_BYTES) return undefined;
  const bytes = readBytes(sectionSource(pe, section), 0, section.virtualSize);
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  try {
    return parseUtf8(bytes.subarray(0, end));
  } catch (error) {
    if (error instanceof TextError) return undefined;
    throw error;
  }
}
