// SPDX-License-Identifier: Apache-2.0
import type { SectionChoice } from '@vouchsafe/measure';
import { type PeFile, sectionsByProfile } from '@vouchsafe/pe';
import { UsageError } from '../usage-error.ts';

/** Each is a prediction and a signature of its own, in each bank and phase. */
const MAX_CHOICES = 64;

/**
 * All that machines can make of an image with device trees or firmware to choose from: which one of each kind fits, or none.
 * One choice for an image without any.
 */
export function machineChoices(uki: PeFile, profile: number): SectionChoice[] {
  const groups = sectionsByProfile(uki.sections).filter(
    (group) => group.profile === undefined || group.profile === profile,
  );
  const sections = groups.flatMap((group) => group.sections);
  const places = (name: string): (number | null)[] => {
    const count = sections.filter((section) => section.name === name).length;
    return [...Array.from({ length: count }, (_, i) => i), null];
  };
  const choices = places('.dtbauto').flatMap((deviceTree) =>
    places('.efifw').map((firmware): SectionChoice => ({ profile, deviceTree, firmware })),
  );
  if (choices.length > MAX_CHOICES) {
    throw new UsageError(
      `expected at most ${MAX_CHOICES} combinations of device trees and firmware, found ${choices.length}: PCR 11 differs with each`,
    );
  }
  return choices;
}
