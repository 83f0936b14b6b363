// SPDX-License-Identifier: Apache-2.0
import { bytesEqual } from '@vouchsafe/base';
import { isTpmHash, isTpmHashAvailable, type TpmBank, tpmDigest } from '@vouchsafe/tpm';
import { digestOf } from '../event.ts';
import { type LogFinding, logFinding } from '../finding.ts';
import type { TcgEvent, TcgLog } from '../tcg/log.ts';
import { decodeEventData } from './event-data.ts';

/**
 * What of an event its digest is a digest of: all of the data; all but its last octet, the NUL of a text or what old
 * releases of shim log too much; of a variable, the value alone, so that its name is only somebody's word; or something
 * else, of which the data merely tells.
 */
export type Coverage = 'data' | 'prefix' | 'value' | 'none';

/** Compares the digest of one bank with the data; 'none' too where the bank cannot be computed. */
export function coverageOf(event: TcgEvent, bank: TpmBank): Coverage {
  const digest = digestOf(event, bank);
  if (digest === undefined || !isTpmHash(bank) || !isTpmHashAvailable(bank)) return 'none';
  const covers = (bytes: Uint8Array): boolean => bytesEqual(tpmDigest(bank, bytes), digest);
  if (event.type === 'EV_NO_ACTION') return 'none';
  if (covers(event.data)) return 'data';
  if (event.data.length > 1 && covers(event.data.subarray(0, -1))) return 'prefix';
  const decoded = decodeEventData(event);
  return decoded.kind === 'variable' && covers(decoded.variable.variableData) ? 'value' : 'none';
}

/**
 * Types whose digest is over the data, by the Profile 1.06, section 10.4.1. EV_EFI_VARIABLE_BOOT is over the value, and
 * with EDK II over all of the data.
 */
const COVERED: ReadonlySet<string | number> = new Set([
  'EV_S_CRTM_VERSION',
  'EV_EFI_VARIABLE_DRIVER_CONFIG',
  'EV_EFI_VARIABLE_BOOT',
  'EV_EFI_VARIABLE_BOOT2',
  'EV_EFI_VARIABLE_AUTHORITY',
  'EV_EFI_GPT_EVENT',
  'EV_EFI_ACTION',
]);

/** The events whose data should be covered by their digest and is not, in one bank. */
export function checkEventData(log: TcgLog, bank: TpmBank, artefact = 'event log'): LogFinding[] {
  return log.events
    .filter(
      (event) => COVERED.has(event.type) && digestOf(event, bank) !== undefined && coverageOf(event, bank) === 'none',
    )
    .map(({ pcr, index, offset }) =>
      logFinding('event_data_mismatch', { artefact, pcr, bank: String(bank), event: index, offset }),
    );
}
