// SPDX-License-Identifier: Apache-2.0
import type { ImageSectionHeader } from '../format/section-header.ts';

/** Sections that belong together: the base, or one profile, which replaces sections of the base. UAPI.5, "UKI profiles". */
export interface ProfileSections {
  /** From 0; undefined for what stands before the first .profile, which all profiles share. */
  readonly profile: number | undefined;
  readonly sections: readonly ImageSectionHeader[];
}

/**
 * The sections by profile, in the order of the table: each .profile begins one, and what stands before the first belongs
 * to all. An image without .profile has one group. systemd 257, src/boot/pe.c, pe_locate_profile_sections.
 */
export function sectionsByProfile(sections: readonly ImageSectionHeader[]): ProfileSections[] {
  const groups: { profile: number | undefined; sections: ImageSectionHeader[] }[] = [
    { profile: undefined, sections: [] },
  ];
  let profiles = 0;
  for (const section of sections) {
    if (section.name === '.profile') groups.push({ profile: profiles++, sections: [] });
    groups.at(-1)?.sections.push(section);
  }
  return groups;
}

/** A field of .profile, which is written as os-release is: ID=, TITLE=. UAPI.5, "UKI profiles". */
export function profileField(text: string, name: string): string | undefined {
  const line = text.split(/\r?\n/).find((candidate) => candidate.startsWith(`${name}=`));
  return line?.slice(name.length + 1).replace(/^(["'])(.*)\1$/, '$2');
}
