// SPDX-License-Identifier: Apache-2.0
import type { Bank, PredictedEvent } from '@vouchsafe/manifest';
import { type ImageSectionHeader, type PeFile, sectionSource } from '@vouchsafe/pe';
import { commandLineOctets } from './command-line.ts';
import { eventOf } from './event.ts';
import { digestsOfInitrd, type InitrdPart, sourcePart } from './initrd-parts.ts';
import type { SectionDigests } from './section-digests.ts';
import { type Release, unknownOf } from './stub.ts';

/**
 * The last stub of which it is known what the kernel gets. Later ones add `console=` as they find the hardware, and parts to
 * the initrd: one from the loader, extensions of /loader, a secret.
 */
export const LAST_STUB_WITH_KNOWN_HANDOVER = 257;
const FIRST_STUB_WITH_MICROCODE = 256;

/** What the stub hands to the kernel. */
export interface Handover {
  /** Undefined when there is none at all, which is not an empty one. */
  readonly commandLine: string | undefined;
  /** What the command line was put together from. */
  readonly commandLineOrigin: PredictedEvent['origin'];
  readonly initrdOrigin: PredictedEvent['origin'];
  readonly parts: readonly InitrdPart[];
}

/**
 * The kernel's EFI stub, PCR 9: its load options, then the initrd as it was loaded. Linux 6.1, drivers/firmware/efi/libstub;
 * what boots with 6.1 logged. Whether the kernel measures at all is not looked at: old ones do not.
 * @throws {MeasureError} 'stub_unknown'
 */
export function kernelEvents(banks: readonly Bank[], stub: Release, handover: Handover): PredictedEvent[] {
  if (stub.major > LAST_STUB_WITH_KNOWN_HANDOVER) {
    throw unknownOf(stub, `what it hands to the kernel, so PCR 9 is not predicted; ask for the other PCRs`);
  }
  const { commandLine, commandLineOrigin, parts } = handover;
  const events: PredictedEvent[] = [];
  if (commandLine !== undefined) {
    const description = 'the command line, as the kernel got it';
    events.push(eventOf(banks, { pcr: 9, description, origin: commandLineOrigin }, commandLineOctets(commandLine)));
  }
  if (parts.length > 0) {
    events.push({
      pcr: 9,
      description: `the initrd, as the kernel got it (${parts.map(({ label }) => label).join(', ')})`,
      origin: handover.initrdOrigin,
      digests: digestsOfInitrd(banks, parts),
    });
  }
  return events;
}

/** The UKI's own microcode, from the first stub that knows it, and initrd. */
export function embeddedInitrds(
  uki: PeFile,
  stub: Release,
  sections: ReadonlyMap<string, ImageSectionHeader>,
  digests: SectionDigests,
): InitrdPart[] {
  const names = stub.major >= FIRST_STUB_WITH_MICROCODE ? ['.ucode', '.initrd'] : ['.initrd'];
  return names.flatMap((name) => {
    const section = sections.get(name);
    return section === undefined ? [] : [sourcePart(name, sectionSource(uki, section), () => digests.sinkOf(section))];
  });
}
