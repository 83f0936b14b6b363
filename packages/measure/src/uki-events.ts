// SPDX-License-Identifier: Apache-2.0
import type { Bank, PredictedEvent } from '@vouchsafe/manifest';
import { type ImageSectionHeader, isPe, openPe, type PeFile, SECTION_FLAG, sectionSource } from '@vouchsafe/pe';
import { type AddonOutcome, addonOutcome } from './addons.ts';
import { applicationEvent, measuredProgram, type StartedProgram } from './application-event.ts';
import { embeddedArchives, sidecarArchives, sidecarEvent } from './archives.ts';
import { appendText, cleanText, commandLineOctets, hasControl, requireText, sectionText } from './command-line.ts';
import { MeasureError } from './error.ts';
import type { EspFolders } from './esp-folders.ts';
import { eventOf } from './event.ts';
import { embeddedInitrds, kernelEvents, LAST_STUB_WITH_KNOWN_HANDOVER } from './kernel-events.ts';
import { type LoaderOutcome, loaderOutcome } from './loader-events.ts';
import { SectionDigests } from './section-digests.ts';
import { sectionEvents, sectionOrigin } from './section-events.ts';
import { locateSections, type SectionChoice, selectSections } from './selected-sections.ts';
import type { ShimFile } from './shim-file.ts';
import { type Release, stubOf, unknownOf } from './stub.ts';
import { textOctets } from './text-section.ts';

/** Under which circumstances a UKI is started. */
export interface UkiStart extends SectionChoice, EspFolders {
  readonly isSecureBootOn: boolean;
  /** systemd-boot, when it starts the UKI; the firmware does otherwise. */
  readonly loader?: PeFile;
  /** shim, when the firmware starts it and it starts the loader or the UKI. */
  readonly shim?: ShimFile;
  /** Options of the boot entry, or typed there, without '@1 ' for a profile. With Secure Boot on, a UKI's own text wins. */
  readonly commandLine?: string;
  /** The PCRs that are wanted, so that what cannot be known of another does not matter; all of them unless given. */
  readonly pcrs?: readonly number[];
  /** Of the UKI in the same banks, to be used for several starts of it. */
  readonly sectionDigests?: SectionDigests;
}

/** PCRs that tell which programs were started. */
const PROGRAM_PCRS = [4, 7, 14];

/** PCRs that starting a UKI extends, but for 5 and 7, which depend on more than the UKI. */
export const UKI_PCRS: readonly number[] = [4, 9, 11, 12, 13];

/**
 * The events of a UKI from the moment that the firmware starts the loader or the UKI up to the kernel: PCR 4 (firmware), 9
 * (kernel), 11, 12 and 13 (stub and loader), in the order of the log. What depends on the machine is left out: text from
 * SMBIOS (PCR 12 and 9), boots in confidential virtual machines, which ignore more, and files of /loader/extensions.
 * @throws {MeasureError} for what is not known, 'stub_unknown', 'loader_unknown', 'machine_dependent', and for a start
 * that cannot be, 'profile_unknown', 'options_invalid', 'command_line_invalid', 'kernel_unsuitable'. @throws {PeError}
 * @throws {TextError} for a command line that is not UTF-8. @throws {DiskError} for a file name that is none.
 */
export function predictUki(banks: readonly Bank[], uki: PeFile, start: UkiStart): PredictedEvent[] {
  return ukiEvents(banks, uki, start, measuredProgram(banks));
}

/**
 * The same with what each program's start puts into other PCRs, before its measurement.
 * @param started called for shim, the loader, the UKI and its addons, in this order.
 */
export function ukiEvents(
  banks: readonly Bank[],
  uki: PeFile,
  start: UkiStart,
  started: StartedProgram,
): PredictedEvent[] {
  const wanted = new Set(start.pcrs ?? UKI_PCRS);
  const isStarted = PROGRAM_PCRS.some((pcr) => wanted.has(pcr));
  const stub = stubOf(uki);
  const sections = selectSections(uki, stub, start);
  // PCR 11 depends on nothing but the file, so that nothing else can stand in its way.
  if ([...wanted].every((pcr) => pcr === 11 || pcr === 5)) {
    return wanted.has(11) ? sectionEvents(banks, uki, stub, sections) : [];
  }
  const when = (pcr: number, events: () => readonly PredictedEvent[]): readonly PredictedEvent[] =>
    wanted.has(pcr) ? events() : [];
  const digests = start.sectionDigests ?? new SectionDigests(banks, uki);
  // Before the programs, whose digests another thread may be computing meanwhile.
  const measured = when(11, () => sectionEvents(banks, uki, stub, sections, digests));
  const own = ownText(uki, sections);
  const profile = start.profile ?? 0;
  const shim = start.shim === undefined || !isStarted ? [] : started(start.shim.pe, 'shim');
  const loader = loaderOf(banks, uki, start, profile, started);
  const program = isStarted ? started(uki, 'the UKI') : [];
  const custom = customText(stub, start, loader, own !== undefined);
  const addons = addonOutcome(banks, stub, start, textOctets(uki, sections, '.uname'), started);
  const archives = sidecarArchives(stub, start);
  return [
    ...shim,
    ...(loader?.application ?? []),
    ...program,
    ...(loader?.passed ?? []),
    ...profileEvents(banks, uki, profile),
    ...measured,
    ...customEvents(banks, custom),
    ...addons.applications,
    ...addons.commandLines,
    ...addons.deviceTrees,
    ...archives.filter(({ pcr }) => wanted.has(pcr)).map((archive) => sidecarEvent(banks, archive)),
    ...addons.microcode,
    ...addons.initrds,
    ...when(4, () => innerKernelEvents(banks, uki, stub, sections, start)),
    ...when(9, () => {
      requireModernKernel(uki, sections);
      return kernelEvents(banks, stub, {
        ...handedText(uki, stub, sections, own, custom, addons),
        initrdOrigin: originOf(uki, sections, '.initrd'),
        parts: [
          ...addons.microcodeParts,
          ...embeddedInitrds(uki, stub, sections, digests),
          ...archives.map(({ part }) => part),
          ...embeddedArchives(uki, stub, sections).map(({ part }) => part),
          ...addons.initrdParts,
        ],
      });
    }),
  ].filter(({ pcr }) => wanted.has(pcr));
}

type Sections = ReadonlyMap<string, ImageSectionHeader>;

function ownText(uki: PeFile, sections: Sections): string | undefined {
  const octets = textOctets(uki, sections, '.cmdline');
  return octets === undefined || octets.length === 0 ? undefined : sectionText(octets);
}

function loaderOf(
  banks: readonly Bank[],
  uki: PeFile,
  start: UkiStart,
  profile: number,
  started: StartedProgram,
): LoaderOutcome | undefined {
  if (start.loader === undefined) return undefined;
  const options = start.commandLine === '' ? undefined : start.commandLine;
  // The loader reads the UKI by its own rules, which are those of the stub of its release.
  const builtIn = (release: Release): string | undefined => ownText(uki, locateSections(uki.sections, release));
  return loaderOutcome(banks, start.loader, { options, builtIn, profile }, started);
}

/**
 * What stands in for the UKI's own command line: load options, unless Secure Boot is on and the UKI has its own. systemd
 * 252.39 and 254.26, src/boot/efi/stub.c (use_load_options), and 257.13, src/boot/stub.c (process_arguments,
 * settle_command_line).
 */
function customText(
  stub: Release,
  start: UkiStart,
  loader: LoaderOutcome | undefined,
  hasOwn: boolean,
): string | undefined {
  const options = requireText((loader === undefined ? start.commandLine : loader.options) ?? '');
  if (stub.major >= 257 && /^@\d/.test(options)) {
    throw new MeasureError(
      'options_invalid',
      `expected options without a profile, found '${options.slice(0, 20)}'; give its number apart`,
    );
  }
  const [first = ''] = options;
  if (first === '' || (start.isSecureBootOn && hasOwn)) return undefined;
  if (stub.major > 257 && hasControl(options))
    throw unknownOf(stub, 'whether it takes options with control characters');
  if (first <= '\u001f') return undefined;
  const text = cleanText(stub, options);
  if (text !== '' || stub.major <= 254) return text;
  if (stub.major < 257) throw unknownOf(stub, 'what it makes of options that are all white space');
  return undefined;
}

function customEvents(banks: readonly Bank[], custom: string | undefined): PredictedEvent[] {
  if (custom === undefined) return [];
  const description = "the command line that stands in for the UKI's own";
  return [eventOf(banks, { pcr: 12, description, origin: { artefact: 'boot entry' } }, commandLineOctets(custom))];
}

/** Its number in decimal; the default's is not measured. systemd 257, src/boot/stub.c (measure_profile). */
function profileEvents(banks: readonly Bank[], uki: PeFile, profile: number): PredictedEvent[] {
  if (profile === 0) return [];
  const origin = { artefact: uki.source.label, section: '.profile' };
  const text = { pcr: 12, description: `profile ${profile} of the UKI`, origin };
  return [eventOf(banks, text, commandLineOctets(`${profile}`))];
}

function originOf(uki: PeFile, sections: Sections, name: string): PredictedEvent['origin'] {
  const section = sections.get(name);
  return section === undefined ? { artefact: uki.source.label, section: name } : sectionOrigin(uki, section);
}

function handedText(
  uki: PeFile,
  stub: Release,
  sections: Sections,
  own: string | undefined,
  custom: string | undefined,
  addons: AddonOutcome,
): { commandLine: string | undefined; commandLineOrigin: PredictedEvent['origin'] } {
  const base = custom ?? (own === undefined ? undefined : cleanText(stub, own));
  const commandLine =
    base === undefined && addons.texts.length === 0 ? undefined : addons.texts.reduce(appendText, base ?? '');
  const commandLineOrigin = custom === undefined ? originOf(uki, sections, '.cmdline') : { artefact: 'boot entry' };
  return { commandLine, commandLineOrigin };
}

/** Stubs up to the first start the kernel through the firmware; from the second they load it themselves. */
const LAST_STUB_WITH_LOAD_IMAGE = 257;
const FIRST_STUB_WITHOUT = 262;

/** PCRs that nobody has looked at in this release, so that they are not predicted. */
export function unknownOfStub(
  { major, version }: Release,
  isSecureBootOn: boolean,
): { readonly pcr: number; readonly reason: string }[] {
  const found = [];
  if (!isSecureBootOn && major > LAST_STUB_WITH_LOAD_IMAGE && major < FIRST_STUB_WITHOUT) {
    found.push({ pcr: 4, reason: `whether firmware measures the kernel that systemd-stub ${version} starts` });
  }
  if (major > LAST_STUB_WITH_KNOWN_HANDOVER) {
    found.push({ pcr: 9, reason: `what systemd-stub ${version} hands to the kernel` });
  }
  return found;
}

/**
 * The kernel inside, which the firmware measures too, unless Secure Boot is on: then the stub answers for it before the
 * firmware's measuring code is reached. systemd 257, src/boot/secure-boot.c.
 */
function innerKernelEvents(
  banks: readonly Bank[],
  uki: PeFile,
  stub: Release,
  sections: Sections,
  start: UkiStart,
): PredictedEvent[] {
  const linux = sections.get('.linux');
  if (linux === undefined || stub.major >= FIRST_STUB_WITHOUT) return [];
  if (start.isSecureBootOn) {
    if (start.shim !== undefined) requireCached(uki, linux);
    return [];
  }
  if (stub.major > LAST_STUB_WITH_LOAD_IMAGE) {
    throw unknownOf(stub, 'whether firmware measures the inner kernel into PCR 4 with Secure Boot off');
  }
  requireModernKernel(uki, sections);
  const origin = sectionOrigin(uki, linux);
  const kernel = openPe(sectionSource(uki, linux));
  return [applicationEvent(banks, kernel, 'the kernel inside the UKI, as Secure Boot is off', origin)];
}

/**
 * With Secure Boot on shim stands in for LoadImage, and passes a kernel without measuring it because it has hashed the
 * section that holds it when it loaded the UKI: one that is marked as code or data and readable. shim 16.1, pe.c
 * (handle_image) and loader-proto.c (try_load_from_cached_section).
 */
function requireCached(uki: PeFile, { name, characteristics }: ImageSectionHeader): void {
  const { cntCode, cntInitializedData, memRead } = SECTION_FLAG;
  if ((characteristics & (cntCode | cntInitializedData)) !== 0 && (characteristics & memRead) !== 0) return;
  const message = `${uki.source.label}: expected ${name} to be readable code or data; whether shim measures the kernel in it is not known`;
  throw new MeasureError('kernel_unsuitable', message);
}

/** Older kernels are entered directly, past firmware and past their own measuring. systemd 257, src/boot/pe.c (pe_kernel_info). */
function requireModernKernel(uki: PeFile, sections: Sections): void {
  const linux = sections.get('.linux');
  if (linux === undefined) return;
  const source = sectionSource(uki, linux);
  if (!isPe(source) || openPe(source).optionalHeader.majorImageVersion >= 1) return;
  const message = `${source.label}: expected a kernel with the initrd protocol of EFI (image version 1), found an older one, which stubs start another way`;
  throw new MeasureError('kernel_unsuitable', message);
}
