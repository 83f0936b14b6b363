// SPDX-License-Identifier: Apache-2.0

/**
 * Sections of a unified kernel image in the order that ukify writes them (systemd 257, src/ukify/ukify.py, make_uki).
 * The order in which stubs measure them is another, and depends on the stub. UAPI.5 Unified Kernel Image.
 */
export const UKI_SECTION_ORDER = [
  '.osrel',
  '.cmdline',
  '.dtb',
  '.dtbauto',
  '.hwids',
  '.uname',
  '.splash',
  '.pcrpkey',
  '.linux',
  '.initrd',
  '.efifw',
  '.ucode',
  '.sbat',
  '.profile',
  '.pcrsig',
] as const;

export type UkiSectionName = (typeof UKI_SECTION_ORDER)[number];

/** Sections that may stand in an image more than once: of them the stub takes the one that fits the machine. */
const REPEATABLE_SECTIONS: readonly string[] = ['.dtbauto', '.efifw'];

export function isRepeatableSection(name: string): boolean {
  return REPEATABLE_SECTIONS.includes(name);
}

/** True for the name of a section that holds data of an image, not the stub's own code. */
export function isUkiSectionName(name: string): name is UkiSectionName {
  return (UKI_SECTION_ORDER as readonly string[]).includes(name);
}
