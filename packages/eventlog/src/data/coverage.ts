// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, concatBytes, utf8 } from '@vouchsafe/base';
import { formatBank, isTpmHash, isTpmHashAvailable, type TpmBank, tpmDigest } from '@vouchsafe/tpm';
import { digestOf, type LogEvent } from '../event.ts';
import { type LogFinding, logFinding } from '../finding.ts';
import { hashedData } from '../ima/template-digest.ts';
import type { BootLog } from '../log.ts';
import { decodeEventData } from './event-data.ts';

/**
 * What of an event its digest is a digest of.
 * - data: all of the data.
 * - prefix: all but its last octet, the NUL of a text or what old releases of shim log too much.
 * - value: of a variable, the value alone, so that its name is only somebody's word; of a tagged event, its content.
 * - text: the text without the words in front that say what it is (GRUB), or written in ASCII (systemd's names of sections).
 * - none: something else, of which the data merely tells; or nothing, as the event was not extended.
 */
export type Coverage = 'data' | 'prefix' | 'value' | 'text' | 'none';

/** Compares the digest of one bank with the data; 'none' too where the bank cannot be computed. */
export function coverageOf(event: LogEvent, bank: TpmBank): Coverage {
  const digest = digestOf(event, bank);
  if (digest === undefined || !isTpmHash(bank) || !isTpmHashAvailable(bank)) return 'none';
  if (event.type === 'EV_NO_ACTION' || (event.data.length === 0 && event.source !== 'tcg')) return 'none';
  const covers = (bytes: Uint8Array): boolean => bytesEqual(tpmDigest(bank, bytes), digest);
  if (event.source === 'ima') return covers(hashedData(String(event.type), event.data)) ? 'data' : 'none';
  if (covers(event.data)) return 'data';
  if (event.data.length > 1 && covers(event.data.subarray(0, -1))) return 'prefix';
  return event.source === 'tcg' ? partCovered(event, covers) : 'none';
}

function partCovered(event: LogEvent, covers: (bytes: Uint8Array) => boolean): Coverage {
  switch (event.type) {
    case 'EV_IPL':
    case 'EV_EVENT_TAG':
    case 'EV_EFI_VARIABLE_DRIVER_CONFIG':
    case 'EV_EFI_VARIABLE_BOOT':
    case 'EV_EFI_VARIABLE_BOOT2':
    case 'EV_EFI_VARIABLE_AUTHORITY':
      break;
    default:
      return 'none';
  }
  const decoded = decodeEventData(event);
  switch (decoded.kind) {
    case 'variable':
      return covers(decoded.variable.variableData) ? 'value' : 'none';
    case 'tagged':
      return covers(decoded.content) ? 'value' : 'none';
    case 'text': {
      const { text, meaning } = decoded;
      const measured = utf8(text.encoding === 'utf-16le' ? text.text : (meaning?.argument ?? text.text));
      return covers(measured) || covers(concatBytes(measured, Uint8Array.of(0))) ? 'text' : 'none';
    }
    default:
      return 'none';
  }
}

/**
 * How far what an event says may be believed, once its PCR has been matched with a quote.
 * - measured: the digest covers what it says.
 * - partly: it covers the value of a variable or a tag, and not its name.
 * - claimed: something was measured, and this is only what somebody says it was.
 * - unmeasured: nothing was; anybody who can write the log can write this.
 */
export type EventTrust = 'measured' | 'partly' | 'claimed' | 'unmeasured';

const TRUST: Readonly<Record<Coverage, EventTrust>> = {
  data: 'measured',
  prefix: 'measured',
  text: 'measured',
  value: 'partly',
  none: 'claimed',
};

/** How far an event may be believed, by the digest of one bank. */
export function trustOf(event: LogEvent, bank: TpmBank): EventTrust {
  if (event.type === 'EV_NO_ACTION' || event.digests.length === 0) return 'unmeasured';
  if (event.type === 'EV_SEPARATOR') return coverageOf(event, bank) === 'data' ? 'measured' : 'claimed';
  return TRUST[coverageOf(event, bank)];
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
export function checkEventData(log: BootLog, bank: TpmBank, artefact = 'event log'): LogFinding[] {
  const findings: LogFinding[] = [];
  for (const event of log.events) {
    const isCovered = event.source === 'tcg' ? COVERED.has(event.type) : event.source === 'userspace' && isPlain(event);
    if (!isCovered || digestOf(event, bank) === undefined || coverageOf(event, bank) !== 'none') continue;
    const { pcr, index, offset } = event;
    const place = { artefact, bank: formatBank(bank), event: index, offset };
    findings.push(logFinding('event_data_mismatch', pcr === undefined ? place : { ...place, pcr }));
  }
  return findings;
}

/** What systemd measures as the text that it logs; of volume keys and key slots it measures an HMAC. */
const PLAIN_USERSPACE: ReadonlySet<string | number> = new Set(['phase', 'filesystem', 'machine-id', 'product-id']);

function isPlain({ type, data }: LogEvent): boolean {
  return PLAIN_USERSPACE.has(type) && data.length > 0;
}
