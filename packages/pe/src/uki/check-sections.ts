// SPDX-License-Identifier: Apache-2.0
import { PeError } from '../error.ts';
import type { ImageSectionHeader } from '../format/section-header.ts';
import { openPe, type PeFile } from '../read/pe-file.ts';
import { sectionSource } from '../read/section-data.ts';
import { ADDON_SECTIONS } from './build.ts';
import { checkCommandLine } from './command-line-risks.ts';
import { profileField, sectionsByProfile } from './profiles.ts';
import { isRepeatableSection, isUkiSectionName } from './section-names.ts';
import { isTextSection, sectionText } from './section-text.ts';
import type { StubVersion } from './stub-version.ts';
import { finding, type UkiFinding, type UkiFindingCode } from './uki-finding.ts';

export interface SectionsContext {
  readonly stub: StubVersion | undefined;
  readonly isAddon: boolean;
}

/** Sections that older stubs pass over, and the first stub that reads them. systemd NEWS; src/fundamental/uki.c. */
const FIRST_STUB = new Map<string, number>([
  ['.ucode', 256],
  ['.profile', 257],
  ['.dtbauto', 257],
  ['.hwids', 257],
  ['.efifw', 258],
]);

/** What the sections are, and what is missing. UAPI.5, "UKI Components" and "UKI profiles"; systemd-stub(7). */
export function checkSections(pe: PeFile, context: SectionsContext): UkiFinding[] {
  const findings: UkiFinding[] = [...checkPresence(pe, context)];
  for (const group of sectionsByProfile(pe.sections)) {
    findings.push(...checkRepeated(pe, group.sections));
    for (const section of group.sections) findings.push(...checkSection(pe, section, context));
  }
  return findings;
}

function checkPresence(pe: PeFile, { isAddon }: SectionsContext): UkiFinding[] {
  const has = (name: string): boolean => pe.sections.some((section) => section.name === name);
  const artefact = pe.source.label;
  const found: UkiFinding[] = [];
  const missing = (code: UkiFindingCode, severity: 'error' | 'warning', path: string, hint: string): number =>
    found.push(finding(code, severity, { artefact, path }, { expected: `a section ${path}`, actual: 'none', hint }));
  if (isAddon) {
    if (has('.linux')) {
      const hint = 'stubs pass over an addon with a kernel; build it without, or as an image';
      const words = { expected: 'no section .linux in an addon', actual: '.linux', hint };
      found.push(finding('addon_has_kernel', 'error', { artefact, path: '.linux' }, words));
    }
    if (!ADDON_SECTIONS.some(has)) {
      const words = {
        expected: `one of ${ADDON_SECTIONS.join(' ')}`,
        actual: 'none',
        hint: 'the addon changes nothing',
      };
      found.push(finding('addon_empty', 'error', { artefact }, words));
    }
    return found;
  }
  if (!has('.linux')) missing('section_missing', 'error', '.linux', 'there is no kernel to start');
  if (!has('.osrel')) {
    missing(
      'section_missing',
      'warning',
      '.osrel',
      'systemd-boot does not list the image; it starts by a path of its own only',
    );
  }
  if (!has('.cmdline')) {
    const hint =
      'the stub takes the command line that boot loader or firmware give it, with Secure Boot on as well; put one in';
    missing('cmdline_missing', 'warning', '.cmdline', hint);
  }
  return found;
}

/** The stub takes the first of a name and passes over the others. systemd, src/boot/pe.c, pe_locate_sections. */
function checkRepeated(pe: PeFile, sections: readonly ImageSectionHeader[]): UkiFinding[] {
  const seen = new Set<string>();
  return sections.flatMap(({ name, pointerToRawData: offset }) => {
    const isFirst = !seen.has(name);
    seen.add(name);
    if (isFirst || isRepeatableSection(name) || !isUkiSectionName(name)) return [];
    const where = { artefact: pe.source.label, path: name, offset };
    const hint = 'the stub takes the first and passes over this one';
    return [
      finding('section_repeated', 'warning', where, { expected: `${name} once in a profile`, actual: 'twice', hint }),
    ];
  });
}

/** ukify gives .linux the room that the kernel takes when it runs, its SizeOfImage, from 258 on (ukify.py, make_uki). */
function isRoomOfKernel(pe: PeFile, section: ImageSectionHeader): boolean {
  if (section.name !== '.linux') return false;
  try {
    return openPe(sectionSource(pe, section)).optionalHeader.sizeOfImage === section.virtualSize;
  } catch (error) {
    if (error instanceof PeError) return false;
    throw error;
  }
}

function checkSection(pe: PeFile, section: ImageSectionHeader, { stub, isAddon }: SectionsContext): UkiFinding[] {
  const { name, virtualSize, sizeOfRawData, pointerToRawData: offset } = section;
  if (!isUkiSectionName(name) && !FIRST_STUB.has(name)) return [];
  const artefact = pe.source.label;
  const where = { artefact, path: name, offset };
  const findings: UkiFinding[] = [];
  const first = FIRST_STUB.get(name);
  if (first !== undefined && stub !== undefined && stub.major < first) {
    const hint = 'this stub passes over the section; use a later one';
    const words = { expected: `a stub of systemd ${first} or later`, actual: stub.version, hint };
    findings.push(finding('section_unread', 'warning', where, words));
  }
  if (virtualSize > sizeOfRawData && !isRoomOfKernel(pe, section)) {
    const hint = 'the rest is zeros in memory; was the file cut short when it was made';
    const words = { expected: `${virtualSize} octets`, actual: `${sizeOfRawData}`, hint };
    findings.push(finding('section_short', 'warning', where, words));
  }
  if (!isTextSection(section)) return findings;
  const text = sectionText(pe, section);
  if (text === undefined) {
    const words = { expected: 'UTF-8 of at most 64 KiB', hint: 'what reads it may refuse it or see something else' };
    findings.push(finding('text_malformed', 'warning', where, words));
  } else if (name === '.cmdline') {
    findings.push(...checkCommandLine(text, artefact, name, { isAddon }));
  } else if (name === '.profile' && !profileField(text, 'ID')) {
    const words = { expected: 'ID=', actual: 'none', hint: 'nobody can choose the profile by name; give it an ID' };
    findings.push(finding('profile_unnamed', 'warning', where, words));
  }
  return findings;
}
