// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, toHex } from '@vouchsafe/base';
import { formatBank, type VerifiedQuote } from '@vouchsafe/tpm';
import { type LogFinding, logFinding } from '../finding.ts';
import { type Replay, replayedPcr } from '../replay/replay.ts';

/** The PCRs of the firmware and of Secure Boot, which every boot extends. Profile 1.06, section 3.3.4. */
const LAST_FIRMWARE_PCR = 7;

/**
 * Compares a replay with a quote. Only what was quoted is compared: of PCR 0 to 7 all, of the others those that the log
 * extends, since what runs later extends the rest. It takes a VerifiedQuote and no list of values, so that an unchecked
 * one cannot be given.
 */
export function checkReplay(replay: Replay, quote: VerifiedQuote, artefact = 'event log'): LogFinding[] {
  const findings: LogFinding[] = [];
  const missing = new Set<string>();
  for (const { bank, pcr, value } of quote.pcrs) {
    const replayed = replay.banks.get(bank);
    const name = formatBank(bank);
    if (replayed === undefined) {
      // One finding for the bank, not one for each PCR.
      if (!missing.has(name)) findings.push(logFinding('bank_missing', { artefact, bank: name }));
      missing.add(name);
      continue;
    }
    const isFirmwarePcr = pcr <= LAST_FIRMWARE_PCR;
    const where = { artefact, pcr, bank: name };
    if (replayed.unknown.has(pcr)) {
      findings.push(logFinding('bank_incomplete', where));
      continue;
    }
    if (!isFirmwarePcr && !replayed.pcrs.has(pcr)) continue;
    const expected = replayedPcr(replay, replayed, pcr);
    if (!bytesEqual(expected, value)) {
      findings.push(logFinding('pcr_mismatch', where, { expected: toHex(value), actual: toHex(expected) }));
    } else if (isFirmwarePcr && value.every((octet) => octet === 0)) {
      // A bank that the firmware leaves untouched can be filled in by anybody after boot ('Carte Blanche'). No boot leaves
      // out PCR 0 and 4, the firmware and the boot loader; of the others old virtual machines do.
      const severity = pcr === 0 || pcr === 4 ? 'error' : 'warning';
      findings.push(logFinding('pcr_never_extended', where, { severity }));
    }
  }
  return findings;
}
