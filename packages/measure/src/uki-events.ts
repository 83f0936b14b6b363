// SPDX-License-Identifier: Apache-2.0
import { ascii, parseUtf8 } from '@vouchsafe/base';
import type { ByteSource } from '@vouchsafe/bytes';
import { encode, rest, utf16leNul } from '@vouchsafe/codec';
import type { Bank, PredictedEvent } from '@vouchsafe/manifest';
import {
  digestMeasuredByFirmware,
  findSection,
  openPe,
  type PeFile,
  readSmallSection,
  sectionSource,
  stubVersionOf,
} from '@vouchsafe/pe';
import { digestsOf, digestsOfSource } from './digests.ts';
import { MeasureError } from './error.ts';
import { measuredSections } from './measured-sections.ts';

/** Under which circumstances a UKI is started. */
export interface UkiStart {
  readonly isSecureBootOn: boolean;
}

/** Stubs up to this one start the inner kernel through the firmware, which measures it unless Secure Boot is on. */
const LAST_STUB_WITH_LOAD_IMAGE = 257;

/**
 * The events of a UKI that the firmware starts from its default path or a boot option: PCR 4 (the firmware), 11 (the stub) and
 * 9 (the kernel), in the order in which each PCR is extended. Without addons, credentials, extensions and profiles.
 * @throws {MeasureError} 'stub_unknown' when the file does not say which stub it was made with.
 */
export function predictUki(banks: readonly Bank[], uki: PeFile, start: UkiStart): PredictedEvent[] {
  const version = stubVersionOf(uki);
  if (version?.product !== 'systemd-stub') {
    throw new MeasureError('stub_unknown', `${uki.source.label}: expected a systemd-stub in .sdmagic; is it a UKI?`);
  }
  return [
    ...applicationEvents(banks, uki, version.major, start),
    ...sectionEvents(banks, uki, version.major),
    ...kernelEvents(banks, uki, version.major),
  ];
}

/** TCG PC Client Platform Firmware Profile 1.06, section 10.4.1, EV_EFI_BOOT_SERVICES_APPLICATION: the Authenticode digest. */
function applicationEvents(banks: readonly Bank[], uki: PeFile, stub: number, start: UkiStart): PredictedEvent[] {
  const images: [description: string, section: string | undefined, pe: PeFile][] = [['the UKI', undefined, uki]];
  const linux = findSection(uki, '.linux');
  // With Secure Boot on, these stubs answer for the inner kernel before the firmware's measuring code is reached (secure-boot.c).
  if (linux !== undefined && stub <= LAST_STUB_WITH_LOAD_IMAGE && !start.isSecureBootOn) {
    images.push(['the kernel inside the UKI, as Secure Boot is off', '.linux', openPe(sectionSource(uki, linux))]);
  }
  return images.map(([description, section, pe]) => ({
    pcr: 4,
    description,
    origin: { artefact: uki.source.label, ...(section === undefined ? {} : { section }) },
    digests: new Map(banks.map((bank) => [bank, digestMeasuredByFirmware(pe, authenticode(bank))])),
  }));
}

function authenticode(bank: Bank): 'sha1' | 'sha256' | 'sha384' {
  if (bank === 'sha512') throw new MeasureError('bank_unsupported', 'images are not predicted in the sha512 bank');
  return bank;
}

/** Each section: its name with a NUL, then its content as it lies in memory. systemd, src/boot/efi/stub.c; formats: UKI, PCR 11. */
function sectionEvents(banks: readonly Bank[], uki: PeFile, stub: number): PredictedEvent[] {
  return measuredSections(stub).flatMap((name): PredictedEvent[] => {
    const section = findSection(uki, name);
    if (section === undefined || section.virtualSize === 0) return [];
    const origin = { artefact: uki.source.label, section: name };
    return [
      { pcr: 11, description: `the name ${name}`, origin, digests: digestsOf(banks, ascii(`${name}\0`)) },
      {
        pcr: 11,
        description: `the content of ${name}`,
        origin,
        digests: digestsOfSource(banks, sectionSource(uki, section)),
      },
    ];
  });
}

/** The kernel's EFI stub: load options, then the initrd as it was loaded. Linux 6.1, drivers/firmware/efi/libstub. */
function kernelEvents(banks: readonly Bank[], uki: PeFile, stub: number): PredictedEvent[] {
  const events: PredictedEvent[] = [];
  const cmdline = readSmallSection(uki, '.cmdline');
  if (cmdline !== undefined) {
    events.push({
      pcr: 9,
      description: 'the command line, as the kernel got it',
      origin: { artefact: uki.source.label, section: '.cmdline' },
      digests: digestsOf(banks, encode(utf16leNul(rest), commandLineText(cmdline))),
    });
  }
  const initrd = loadedInitrd(uki, stub);
  if (initrd !== undefined) {
    events.push({
      pcr: 9,
      description: 'the initrd, as the kernel got it',
      origin: { artefact: uki.source.label, section: '.initrd' },
      digests: digestsOfSource(banks, initrd),
    });
  }
  return events;
}

/** The stub ends the text at a NUL and takes white space off its ends since 253; 252 takes it as it is. */
function commandLineText(octets: Uint8Array): string {
  return parseUtf8(octets).replace(/\0.*$/s, '');
}

/** Sections from which a stub makes archives of its own behind the initrd. systemd 252, src/boot/efi/stub.c. */
const SECTIONS_WITH_ARCHIVES = ['.pcrsig', '.pcrpkey'];

/**
 * What the stub hands to the kernel. One part alone goes as it is; several, each padded to 4 octets, go end to end
 * (combine_initrd). Here only what is certain: stub 252 and one part.
 */
function loadedInitrd(uki: PeFile, stub: number): ByteSource | undefined {
  if (stub > 252 || SECTIONS_WITH_ARCHIVES.some((name) => findSection(uki, name) !== undefined)) {
    throw new MeasureError('stub_unknown', `PCR 9 is not predicted yet for stub ${stub} with these sections`);
  }
  const section = findSection(uki, '.initrd');
  return section === undefined ? undefined : sectionSource(uki, section);
}
