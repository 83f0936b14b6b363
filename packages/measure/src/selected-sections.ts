// SPDX-License-Identifier: Apache-2.0
import type { ImageSectionHeader, PeFile } from '@vouchsafe/pe';
import { MeasureError } from './error.ts';
import { type Release, unknownOf } from './stub.ts';

/** What decides which of several sections a stub takes. */
export interface SectionChoice {
  /** The profile that is started, '@1' in a boot entry's options; 0, the default, unless given. */
  readonly profile?: number;
  /**
   * Which .dtbauto the machine matches: its place, from 0, among those of the base and the profile; null is none, and
   * undefined not known.
   */
  readonly deviceTree?: number | null;
  /** The same of .efifw. */
  readonly firmware?: number | null;
}

/** The first stub with profiles, .dtbauto and .hwids, and the first with .efifw. */
const FIRST_WITH_PROFILES = 257;
const FIRST_WITH_FIRMWARE = 258;

/** Up to this one a stub takes the last section whose name begins as it should; from the second the first of the name. */
const LAST_BY_BEGINNING = 254;
const FIRST_BY_NAME = 257;

/** What the stubs look for that take names by their beginning: to them `.dtbauto` is a `.dtb`. */
const LOOKED_FOR = [
  ...['.linux', '.osrel', '.cmdline', '.initrd', '.splash', '.dtb', '.uname', '.sbat', '.pcrsig', '.pcrpkey'],
  '.ucode',
];

/**
 * The sections that count, by name, of those that no machine chooses; an empty one hides others. systemd 252.39 and 254.26,
 * src/boot/efi/pe.c (locate_sections), and 257.13, src/boot/pe.c (pe_locate_sections_internal).
 * @throws {MeasureError} 'stub_unknown' when the two ways differ and it is not known which one this release has.
 */
export function locateSections(
  sections: readonly ImageSectionHeader[],
  release: Release,
): Map<string, ImageSectionHeader> {
  const byName = new Map<string, ImageSectionHeader>();
  for (const section of sections) {
    if (!byName.has(section.name) && !isChosenByMachine(release, section.name)) byName.set(section.name, section);
  }
  if (release.major >= FIRST_BY_NAME) return byName;
  const byBeginning = new Map(byName);
  for (const section of sections) {
    for (const name of LOOKED_FOR) if (section.name.startsWith(name)) byBeginning.set(name, section);
  }
  const differs = LOOKED_FOR.find((name) => byName.get(name) !== byBeginning.get(name));
  if (release.major > LAST_BY_BEGINNING && differs !== undefined) {
    throw unknownOf(release, `which of several sections that begin as ${differs} it takes`);
  }
  return byBeginning;
}

/**
 * The sections that a stub works on, by name, empty ones left out. Those before the first .profile are the base; from a
 * .profile up to the next are a profile's own, which stand in for the base's of the same name. Of .dtbauto and .efifw the
 * first that matches the machine counts. systemd 257, src/boot/stub.c (find_sections) and src/boot/pe.c
 * (pe_locate_profile_sections).
 * @throws {MeasureError} 'stub_unknown', 'profile_unknown', 'machine_dependent', 'options_invalid'
 */
export function selectSections(uki: PeFile, stub: Release, choice: SectionChoice): Map<string, ImageSectionHeader> {
  const runs = sectionRuns(uki, stub, choice.profile ?? 0);
  const selected = new Map(runs.flatMap((run) => [...locateSections(run, stub)]));
  for (const [name, index] of [
    ['.dtbauto', choice.deviceTree],
    ['.efifw', choice.firmware],
  ] as const) {
    if (!isChosenByMachine(stub, name)) continue;
    const candidates = runs.flat().filter((section) => section.name === name);
    const match = matchedByMachine(uki, name, candidates, index);
    if (match !== undefined) selected.set(name, match);
  }
  return new Map([...selected].filter(([, { virtualSize }]) => virtualSize > 0));
}

function isChosenByMachine(stub: Release, name: string): boolean {
  if (name === '.dtbauto') return stub.major >= FIRST_WITH_PROFILES;
  return name === '.efifw' && stub.major >= FIRST_WITH_FIRMWARE;
}

/** The base, then the profile's own; stubs without profiles know one table. */
function sectionRuns(uki: PeFile, stub: Release, profile: number): (readonly ImageSectionHeader[])[] {
  const { sections } = uki;
  const label = uki.source.label;
  if (!Number.isSafeInteger(profile) || profile < 0) {
    throw new MeasureError('profile_unknown', `${label}: expected the number of a profile, found ${profile}`);
  }
  if (stub.major < FIRST_WITH_PROFILES) {
    if (profile === 0) return [sections];
    throw new MeasureError(
      'profile_unknown',
      `${label}: its stub, ${stub.version}, knows no profiles (257 is the first)`,
    );
  }
  const starts = sections.flatMap(({ name }, i) => (name === '.profile' ? [i] : []));
  const base = sections.slice(0, starts[0] ?? sections.length);
  const start = starts[profile];
  if (start !== undefined) return [base, sections.slice(start, starts[profile + 1] ?? sections.length)];
  // The first profile is implied when there is none.
  if (profile === 0) return [base];
  throw new MeasureError('profile_unknown', `${label}: expected profile ${profile}, found ${starts.length} profiles`);
}

/** Stubs compare these with the machine's device tree and hardware identifiers: that cannot be known before. */
function matchedByMachine(
  uki: PeFile,
  name: string,
  candidates: readonly ImageSectionHeader[],
  index: number | null | undefined,
): ImageSectionHeader | undefined {
  if (candidates.length === 0 || index === null) return undefined;
  const label = `${uki.source.label}: ${name}`;
  if (index === undefined) {
    const message = `${label}: which of ${candidates.length} is measured depends on the machine; say which one it matches, or none`;
    throw new MeasureError('machine_dependent', message);
  }
  const match = candidates[index];
  if (match === undefined) {
    const message = `${label}: expected a place from 0 to ${candidates.length - 1}, found ${index}`;
    throw new MeasureError('options_invalid', message);
  }
  return match;
}
