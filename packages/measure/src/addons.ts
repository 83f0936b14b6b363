// SPDX-License-Identifier: Apache-2.0
import type { ByteSource } from '@vouchsafe/bytes';
import type { Bank, PredictedEvent } from '@vouchsafe/manifest';
import { findSection, type ImageSectionHeader, openPe, type PeFile, sectionSource } from '@vouchsafe/pe';
import type { StartedProgram } from './application-event.ts';
import { appendText, cleanText, commandLineOctets, sectionText } from './command-line.ts';
import { MeasureError } from './error.ts';
import { type EspFolders, filesWith } from './esp-folders.ts';
import { eventOf, eventOfSource } from './event.ts';
import { type InitrdPart, sourcePart } from './initrd-parts.ts';
import { locateSections } from './selected-sections.ts';
import { type Release, unknownOf } from './stub.ts';
import { textOctets } from './text-section.ts';

/** What a stub uses of an addon, and the first stub that does. systemd, src/boot/stub.c (load_addons), of the releases. */
const USED_SECTIONS = [
  ['.cmdline', 254],
  ['.dtb', 255],
  ['.ucode', 256],
  ['.initrd', 257],
  ['.dtbauto', 257],
] as const;
const FIRST_WITH_ADDONS = 254;

/** What addons do to a boot; each list in the order of events. */
export interface AddonOutcome {
  /** PCR 4, and what goes with it. */
  readonly applications: readonly PredictedEvent[];
  /** PCR 12, behind the custom command line. */
  readonly commandLines: readonly PredictedEvent[];
  /** The same as texts, to be put behind the command line. */
  readonly texts: readonly string[];
  /** PCR 12, behind the command lines. */
  readonly deviceTrees: readonly PredictedEvent[];
  /** PCR 12 behind the archives, and what goes in front of all other parts of the initrd. */
  readonly microcode: readonly PredictedEvent[];
  readonly microcodeParts: readonly InitrdPart[];
  /** PCR 12 at last, and what goes behind all other parts. */
  readonly initrds: readonly PredictedEvent[];
  readonly initrdParts: readonly InitrdPart[];
}

interface Addon {
  readonly label: string;
  readonly pe: PeFile;
  /** Those that the stub finds, empty ones left out. */
  readonly sections: ReadonlyMap<string, ImageSectionHeader>;
  readonly isGlobal: boolean;
  /** False when the stub loads it, so that it is measured, and then leaves it alone. */
  readonly isUsed: boolean;
}

/**
 * The addons in the order in which the stub loads them: those of /loader/addons, then the UKI's own. Each one is loaded by
 * the firmware, which measures it. With Secure Boot on they are taken to be signed by a key that the firmware trusts.
 * @param uname of the UKI; an addon for another kernel is left alone.
 * @throws {MeasureError} 'stub_unknown', 'machine_dependent', 'command_line_invalid'. @throws {PeError}
 */
export function addonOutcome(
  banks: readonly Bank[],
  stub: Release,
  folders: EspFolders,
  uname: Uint8Array | undefined,
  started: StartedProgram,
): AddonOutcome {
  const addons = loadedAddons(stub, folders, uname);
  const used = addons.filter(({ isUsed }) => isUsed);
  const texts = addonTexts(stub, used);
  const withSection = (name: (typeof USED_SECTIONS)[number][0]): Addon[] =>
    isKnownTo(stub, name) ? used.filter(({ sections }) => sections.has(name)) : [];
  // In reverse, as the kernel takes the first microcode that it finds.
  const microcode = withSection('.ucode').reverse();
  const initrds = withSection('.initrd');
  return {
    applications: addons.flatMap(({ pe }) => started(pe, 'an addon of the UKI')),
    commandLines: texts.map(({ text, label }) =>
      eventOf(
        banks,
        { pcr: 12, description: 'the command line of addons', origin: { artefact: label, section: '.cmdline' } },
        commandLineOctets(text),
      ),
    ),
    texts: texts.map(({ text }) => text),
    deviceTrees: withSection('.dtb').map((addon) => sectionEvent(banks, addon, '.dtb', 'the device tree of an addon')),
    microcode: microcode.map((addon) => sectionEvent(banks, addon, '.ucode', 'the microcode of an addon')),
    microcodeParts: microcode.map((addon) => sectionPart(addon, '.ucode')),
    initrds: initrds.map((addon) => sectionEvent(banks, addon, '.initrd', 'the initrd of an addon')),
    initrdParts: initrds.map((addon) => sectionPart(addon, '.initrd')),
  };
}

function loadedAddons(stub: Release, folders: EspFolders, uname: Uint8Array | undefined): Addon[] {
  const files = [
    ...filesWith(folders.loaderAddons, '.addon.efi').map((file) => ({ file, isGlobal: true })),
    ...filesWith(folders.companions, '.addon.efi').map((file) => ({ file, isGlobal: false })),
  ];
  if (files.length === 0) return [];
  if (stub.major < FIRST_WITH_ADDONS) {
    // Red Hat's 252 has addons, one event for each folder (redhat-plumbers/systemd-rhel9): not looked at in full.
    if (/\.el\d/.test(stub.version)) throw unknownOf(stub, 'what this distribution made of addons');
    return [];
  }
  return files.map(({ file, isGlobal }) => {
    const pe = openPe(file.content);
    const sections = new Map([...locateSections(pe.sections, stub)].filter(([, { virtualSize }]) => virtualSize > 0));
    return { label: file.content.label, pe, sections, isGlobal, isUsed: isUsed(stub, pe, sections, uname) };
  });
}

const isKnownTo = (stub: Release, name: string): boolean =>
  USED_SECTIONS.some(([section, from]) => section === name && stub.major >= from);

/** An addon has something to use, is no UKI, and is for this kernel or for any. */
function isUsed(stub: Release, pe: PeFile, sections: Addon['sections'], uname: Uint8Array | undefined): boolean {
  if (isKnownTo(stub, '.dtbauto') && findSection(pe, '.dtbauto') !== undefined) {
    const message = `${pe.source.label}: whether its .dtbauto is measured depends on the machine`;
    throw new MeasureError('machine_dependent', message);
  }
  if (!USED_SECTIONS.some(([name]) => isKnownTo(stub, name) && sections.has(name)) || sections.has('.linux'))
    return false;
  const own = textOctets(pe, sections, '.uname');
  const isFor = uname === undefined || own === undefined || own.length === 0 || agrees(uname, own);
  // 255 read the UKI's .uname only after it had loaded the addons, at least for a time.
  if (!isFor && stub.major === 255) throw unknownOf(stub, 'whether it takes an addon for another kernel');
  return isFor;
}

/** strneq8 over the size of the addon's section: equal up to a NUL or to its end, so that a beginning agrees too. */
function agrees(uname: Uint8Array, own: Uint8Array): boolean {
  for (const [i, octet] of own.entries()) {
    const other = uname[i] ?? 0;
    if (octet !== other) return false;
    if (octet === 0) return true;
  }
  return true;
}

interface AddonText {
  readonly text: string;
  readonly label: string;
}

/** 254 measures each folder's texts together; later stubs all of them at once, each text cleaned before. */
function addonTexts(stub: Release, addons: readonly Addon[]): AddonText[] {
  const texts = addons.flatMap(({ pe, sections, label, isGlobal }) => {
    const octets = textOctets(pe, sections, '.cmdline');
    return octets === undefined || octets.length === 0 ? [] : [{ text: sectionText(octets), label, isGlobal }];
  });
  if (stub.major > FIRST_WITH_ADDONS && stub.major < 257) for (const { text } of texts) requireClean(stub, text);
  const groups =
    stub.major === FIRST_WITH_ADDONS
      ? [texts.filter(({ isGlobal }) => isGlobal), texts.filter(({ isGlobal }) => !isGlobal)]
      : [texts];
  return groups
    .map((group) => ({
      text: cleanText(
        stub,
        group.reduce((all, { text }) => appendText(all, stub.major < 257 ? text : cleanText(stub, text)), ''),
      ),
      label: group.map(({ label }) => label).join(' + '),
    }))
    .filter(({ text }) => text !== '');
}

/** Between 254 and 257 cleaning moved from all texts together to each of them: no matter where nothing is to be cleaned. */
function requireClean(stub: Release, text: string): void {
  const cleaned = cleanText({ ...stub, major: 257 }, text);
  if (text === '' || text !== cleaned) {
    throw unknownOf(stub, 'what it makes of control characters and white space at the ends of an addon command line');
  }
}

function sectionEvent(banks: readonly Bank[], addon: Addon, name: string, description: string): PredictedEvent {
  const origin = { artefact: addon.label, section: name };
  return eventOfSource(banks, { pcr: 12, description, origin }, contentOf(addon, name));
}

function sectionPart(addon: Addon, name: string): InitrdPart {
  return sourcePart(`${addon.label}: ${name}`, contentOf(addon, name));
}

function contentOf({ pe, sections }: Addon, name: string): ByteSource {
  const section = sections.get(name);
  if (section === undefined) throw new Error(`${name} was found before`);
  return sectionSource(pe, section);
}
