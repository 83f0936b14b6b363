// SPDX-License-Identifier: Apache-2.0
import type { Bank, PredictedEvent } from '@vouchsafe/manifest';
import { PCR_COUNT, type PcrSelection } from '@vouchsafe/tpm';
import type { AppraisalFinding } from './finding.ts';

/** What the verifier knows of an image on this kind of machine. */
export interface BootReference {
  readonly bank: Bank;
  /**
   * In the order in which each PCR is extended. A PCR of the firmware (0 to 3, 6) that is not here has no baseline, and the
   * boot is then not affirmed.
   */
  readonly events: readonly PredictedEvent[];
}

/** PCRs of the boot as it is decided before the operating system runs. PC Client Platform TPM Profile, section 4.6. */
const LAST_STATIC_PCR = 15;
/** Extended by the kernel's IMA, whose list is appraised apart. */
export const IMA_PCR = 10;

/**
 * Whether reference and quote together can carry a verdict at all. A log that replays proves nothing of a PCR that was not
 * quoted, in that bank: so all that a boot decides must be, and all that is predicted.
 */
export function checkReference(reference: BootReference, selection: readonly PcrSelection[]): AppraisalFinding[] {
  const { bank, events } = reference;
  const findings: AppraisalFinding[] = [];
  const add = (code: AppraisalFinding['code'], hint: string, where: { pcr?: number } = {}): void => {
    findings.push({ code, severity: 'error', where: { artefact: 'reference', bank, ...where }, hint });
  };
  if (events.length === 0) add('reference_empty', 'No event is predicted, so that no boot can be good; name an image');
  // Collisions of SHA-1 are made to order: an image can be built that has another's digests.
  if (bank === 'sha1') add('reference_bank', 'Digests can be forged in the SHA-1 bank; quote and predict another');
  for (const pcr of new Set(events.map((event) => event.pcr))) {
    const isStatic = Number.isInteger(pcr) && pcr >= 0 && pcr <= LAST_STATIC_PCR && pcr !== IMA_PCR;
    const range = `0 to ${LAST_STATIC_PCR} but ${IMA_PCR}, of ${PCR_COUNT}`;
    if (!isStatic) add('reference_pcr', `PCR ${pcr} cannot be predicted by an image, only ${range}`, { pcr });
  }
  const quoted = new Set(selection.filter((s) => s.bank === bank).flatMap(({ pcrs }) => pcrs));
  for (let pcr = 0; pcr <= LAST_STATIC_PCR; pcr++) {
    if (!quoted.has(pcr))
      add('pcr_unquoted', `PCR ${pcr} is not quoted in ${bank}; ask for it in the challenge`, { pcr });
  }
  return findings;
}
