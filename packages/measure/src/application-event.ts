// SPDX-License-Identifier: Apache-2.0
import type { Bank, PredictedEvent } from '@vouchsafe/manifest';
import { digestMeasuredByFirmware, type PeFile } from '@vouchsafe/pe';

/**
 * What firmware extends into PCR 4 when it loads a program: its Authenticode digest. TCG PC Client Platform Firmware Profile
 * 1.06, section 10.4.1, EV_EFI_BOOT_SERVICES_APPLICATION.
 * @param origin when the program lies inside another file. @param known digests that were computed already.
 */
export function applicationEvent(
  banks: readonly Bank[],
  program: PeFile,
  description: string,
  origin: PredictedEvent['origin'] = { artefact: program.source.label },
  known?: ReadonlyMap<Bank, Uint8Array>,
): PredictedEvent {
  const digests = new Map(banks.map((bank) => [bank, known?.get(bank) ?? digestMeasuredByFirmware(program, bank)]));
  return { pcr: 4, description, origin, digests };
}

/** What becomes of a program that is started: its measurement, and with Secure Boot on perhaps what lets it start. */
export type StartedProgram = (program: PeFile, description: string) => readonly PredictedEvent[];

/** PCR 4 alone. */
export function measuredProgram(banks: readonly Bank[]): StartedProgram {
  return (program, description) => [applicationEvent(banks, program, description)];
}
