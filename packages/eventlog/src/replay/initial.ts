// SPDX-License-Identifier: Apache-2.0
import { type TpmHash, tpmHashSize } from '@vouchsafe/tpm';

/** PCRs that a dynamic launch alone extends, and resets. PC Client Platform TPM Profile, PCR attributes. */
export function isDrtmPcr(pcr: number): boolean {
  return pcr >= 17 && pcr <= 22;
}

/**
 * A PCR after TPM2_Startup(CLEAR): zeros; ones for PCR 17 to 22 as long as there was no dynamic launch, which sets them to
 * zeros; PCR 0 holds the locality in its last octet. PC Client Platform TPM Profile, PCR attributes; TPM 2.0 Library, Part 3,
 * section 9.3.
 */
export function initialPcr(bank: TpmHash, pcr: number, startupLocality = 0, hasLaunched = false): Uint8Array {
  const value = new Uint8Array(tpmHashSize(bank)).fill(isDrtmPcr(pcr) && !hasLaunched ? 0xff : 0);
  if (pcr === 0) value[value.length - 1] = startupLocality;
  return value;
}
