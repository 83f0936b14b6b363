// SPDX-License-Identifier: Apache-2.0
import { concatBytes, utf8 } from '@vouchsafe/base';
import { digest, digestSize } from '@vouchsafe/crypto';
import type { Bank } from '@vouchsafe/manifest';
import { replayPredicted } from '@vouchsafe/manifest';
import type { PeFile } from '@vouchsafe/pe';
import { DEFAULT_PHASES, parsePhasePath } from './phases.ts';
import { sectionEvents } from './section-events.ts';
import { type SectionChoice, selectSections } from './selected-sections.ts';
import { stubOf } from './stub.ts';

export interface Pcr11Request extends SectionChoice {
  readonly banks: readonly Bank[];
  /** Boot phase paths as systemd-measure takes them, ':' for none; the four of a usual boot unless given. */
  readonly phases?: readonly string[];
}

/** The value of PCR 11 in one bank at one point of the boot. */
export interface Pcr11Value {
  readonly bank: Bank;
  /** The phases gone through, joined by colons; empty for the bare kernel. */
  readonly phase: string;
  readonly value: Uint8Array;
}

/**
 * PCR 11 of a UKI, bank by bank and in each bank in the order of the phases, a path given twice once: what
 * `systemd-measure calculate` prints for what this UKI's stub measures.
 * @throws {MeasureError} 'stub_unknown', 'phase_invalid', 'profile_unknown', 'machine_dependent', 'options_invalid'
 */
export function predictPcr11(uki: PeFile, request: Pcr11Request): Pcr11Value[] {
  const { banks, phases = DEFAULT_PHASES } = request;
  const paths = new Map(phases.map((path) => [parsePhasePath(path).join(':'), parsePhasePath(path)]));
  const stub = stubOf(uki);
  const events = sectionEvents(banks, uki, stub, selectSections(uki, stub, request));
  return banks.flatMap((bank) => {
    const kernel = replayPredicted(bank, events).get(11) ?? new Uint8Array(digestSize(bank));
    return [...paths].map(([phase, words]) => ({ bank, phase, value: afterPhases(bank, kernel, words) }));
  });
}

/** TPM 2.0 Library, Part 1, section 17.2: new value = H(old value || H(word)). */
function afterPhases(bank: Bank, kernel: Uint8Array, words: readonly string[]): Uint8Array {
  return words.reduce((value, word) => digest(bank, concatBytes(value, digest(bank, utf8(word)))), kernel);
}
