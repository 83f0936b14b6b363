// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import {
  type BootEvent,
  checkEventData,
  checkSeparators,
  decodeEventData,
  decodeTcgLog,
  EventLogError,
  isPcrEvent,
  summaryOf,
  type TcgLog,
} from '@vouchsafe/eventlog';
import type { TpmBank } from '@vouchsafe/tpm';
import { AppraiseError } from '../error.ts';
import { firmwareVersionOf } from '../layers/firmware.ts';
import { type BaselineEvent, FIRMWARE_PCRS, type FirmwareBaseline } from './baseline.ts';

const MAX_EVENTS = 4096;
const MAX_DESCRIPTION_CHARS = 200;

/**
 * A baseline from a boot log that is taken at its word: what a vendor hands out as the support RIM of a firmware (TCG PC Client
 * Reference Integrity Manifest, section 3.2: an event log), or the log of a machine that never joined. No quote vouches for it, so
 * whoever approves it does.
 * @throws {AppraiseError} 'baseline_malformed' for what is no log, or one that contradicts itself
 */
export function baselineFromLog(
  about: Pick<FirmwareBaseline, 'name' | 'vendor' | 'model' | 'firmwareVersion'>,
  bytes: Uint8Array,
): FirmwareBaseline {
  const log = logOf(about.name, bytes);
  const real: BootEvent[] = log.events.filter((event) => isPcrEvent(event) && event.type !== 'EV_NO_ACTION');
  const banks = [...new Set(real.flatMap(({ digests }) => digests.map(({ bank }) => bank)))];
  const faults = [...checkSeparators(log), ...banks.flatMap((bank) => checkEventData(log, bank))];
  const [fault] = faults.filter(({ severity, where }) => severity === 'error' && isFirmware(where.pcr));
  if (fault !== undefined) throw malformed(about.name, `${fault.code}: ${fault.hint}`);
  const events = real.filter(({ pcr }) => isFirmware(pcr)).map(eventOf);
  if (events.length === 0) throw malformed(about.name, 'expected events of PCR 0 to 3 or 6, found none');
  if (events.length > MAX_EVENTS) throw malformed(about.name, `expected at most ${MAX_EVENTS} events of the firmware`);
  const version = about.firmwareVersion ?? versionIn(real, banks);
  return { ...about, ...(version === undefined ? {} : { firmwareVersion: version }), events };
}

/** What a log has beside these, manifests say better. */
const isFirmware = (pcr: number | undefined): boolean => pcr !== undefined && FIRMWARE_PCRS.includes(pcr);

function versionIn(events: readonly BootEvent[], banks: readonly TpmBank[]): string | undefined {
  return banks.map((bank) => firmwareVersionOf({ events, bank })).find((version) => version !== '');
}

function logOf(name: string, bytes: Uint8Array): TcgLog {
  try {
    return decodeTcgLog(bytes);
  } catch (cause) {
    if (!(cause instanceof EventLogError)) throw cause;
    throw malformed(name, `expected a boot log: ${cause.message}`, cause);
  }
}

function eventOf(event: BootEvent): BaselineEvent {
  const digests = Object.fromEntries(event.digests.map(({ bank, digest }) => [String(bank), [toHex(digest)]]));
  const description = summaryOf(event, decodeEventData(event)).slice(0, MAX_DESCRIPTION_CHARS);
  return { pcr: event.pcr, description, digests };
}

function malformed(name: string, message: string, cause?: unknown): AppraiseError {
  return new AppraiseError('baseline_malformed', `${name}: ${message}`, cause === undefined ? {} : { cause });
}
