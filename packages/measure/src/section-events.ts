// SPDX-License-Identifier: Apache-2.0
import { ascii } from '@vouchsafe/base';
import type { Bank, EventOrigin, PredictedEvent } from '@vouchsafe/manifest';
import type { ImageSectionHeader, PeFile } from '@vouchsafe/pe';
import { eventOf } from './event.ts';
import { measuredSections } from './measured-sections.ts';
import { SectionDigests } from './section-digests.ts';
import type { Release } from './stub.ts';

/** A section as the place that an event comes from. */
export function sectionOrigin(pe: PeFile, section: ImageSectionHeader, name = section.name): EventOrigin {
  return { artefact: pe.source.label, section: name, offset: section.pointerToRawData };
}

/**
 * PCR 11: each section's name with its NUL, then its content as it lies in memory, VirtualSize octets. systemd, src/boot/stub.c
 * (measure_sections). The signature over PCR 11, .pcrsig, is never measured, as it cannot be known before PCR 11 is.
 */
export function sectionEvents(
  banks: readonly Bank[],
  uki: PeFile,
  stub: Release,
  sections: ReadonlyMap<string, ImageSectionHeader>,
  digests = new SectionDigests(banks, uki),
): PredictedEvent[] {
  return measuredSections(stub.major).flatMap((name): PredictedEvent[] => {
    const section = sections.get(name);
    if (section === undefined) return [];
    const origin = sectionOrigin(uki, section, name);
    return [
      eventOf(banks, { pcr: 11, description: `the name ${name}`, origin }, ascii(`${name}\0`)),
      { pcr: 11, description: `the content of ${name}`, origin, digests: digests.sinkOf(section).digests() },
    ];
  });
}
