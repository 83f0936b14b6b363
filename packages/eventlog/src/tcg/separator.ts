// SPDX-License-Identifier: Apache-2.0
import { bytesEqual } from '@vouchsafe/base';
import { isTpmHash, isTpmHashAvailable, type TpmHash, tpmDigest } from '@vouchsafe/tpm';
import type { LogEvent } from '../event.ts';
import { type LogFinding, logFinding } from '../finding.ts';
import type { TcgLog } from './log.ts';

/** What the digest of a separator stands for; 'unknown' is a digest that no separator has. */
export type SeparatorMeaning = 'boundary' | 'error' | 'unknown';

/**
 * EV_SEPARATOR. TCG PC Client Platform Firmware Profile 1.06, section 10.4.1: the digest of four octets: zeros or, on
 * platforms of before, ones mark the boundary; the value 1 reports an error, with free text as the event's data.
 */
const VALUES: readonly (readonly [octets: Uint8Array, meaning: SeparatorMeaning])[] = [
  [Uint8Array.of(0, 0, 0, 0), 'boundary'],
  [Uint8Array.of(0xff, 0xff, 0xff, 0xff), 'boundary'],
  [Uint8Array.of(1, 0, 0, 0), 'error'],
];

/** The digests of those values in one bank, made once: three short texts for each bank. */
const digestsByBank = new Map<TpmHash, readonly (readonly [digest: Uint8Array, meaning: SeparatorMeaning])[]>();

function digestsIn(bank: TpmHash): readonly (readonly [digest: Uint8Array, meaning: SeparatorMeaning])[] {
  let digests = digestsByBank.get(bank);
  if (digests === undefined) {
    digests = VALUES.map(([octets, meaning]) => [tpmDigest(bank, octets), meaning] as const);
    digestsByBank.set(bank, digests);
  }
  return digests;
}

/** What the digests say, in every bank that can be computed; they must agree. The data is not looked at. */
export function separatorMeaning(event: LogEvent): SeparatorMeaning {
  let meaning: SeparatorMeaning | undefined;
  for (const { bank, digest } of event.digests) {
    if (!isTpmHash(bank) || !isTpmHashAvailable(bank)) continue;
    const [, found] = digestsIn(bank).find(([known]) => bytesEqual(known, digest)) ?? [];
    if (found === undefined || (meaning !== undefined && meaning !== found)) return 'unknown';
    meaning = found;
  }
  return meaning ?? 'unknown';
}

const LAST_FIRMWARE_PCR = 7;

/**
 * Whether each of PCR 0 to 7 has one separator, that is one. It ends what the firmware measures before it starts a boot
 * loader: without it a loader could pass its own measurements off as the firmware's. A replay does not show this, since
 * types are not measured.
 */
export function checkSeparators(log: TcgLog, artefact = 'event log'): LogFinding[] {
  const findings: LogFinding[] = [];
  const seen = new Set<number>();
  for (const event of log.events) {
    if (event.type === 'EV_NO_ACTION' || event.pcr > LAST_FIRMWARE_PCR) continue;
    const where = { artefact, pcr: event.pcr, event: event.index, offset: event.offset };
    const isSeparator = event.type === 'EV_SEPARATOR';
    // Whatever its data is: neither type nor data is measured, the digest is.
    const meaning = separatorMeaning(event);
    if (isSeparator === (meaning === 'unknown')) {
      const actual = isSeparator ? 'EV_SEPARATOR with another digest' : `a separator's digest as ${event.type}`;
      findings.push(logFinding('separator_type', where, { expected: "EV_SEPARATOR and a separator's digest", actual }));
    }
    if (meaning === 'error') findings.push(logFinding('separator_error', where));
    if (!isSeparator) continue;
    if (seen.has(event.pcr)) findings.push(logFinding('separator_repeated', where));
    seen.add(event.pcr);
  }
  for (let pcr = 0; pcr <= LAST_FIRMWARE_PCR; pcr++) {
    if (!seen.has(pcr)) findings.push(logFinding('separator_missing', { artefact, pcr }));
  }
  return findings;
}
