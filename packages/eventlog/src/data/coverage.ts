// SPDX-License-Identifier: Apache-2.0
import { concatBytes, utf8 } from '@vouchsafe/base';
import { latin1Digester } from '@vouchsafe/crypto';
import {
  digestAlgorithmOf,
  formatBank,
  isTpmHash,
  isTpmHashAvailable,
  type TpmBank,
  type TpmHash,
} from '@vouchsafe/tpm';
import { digestOf, type LogEvent } from '../event.ts';
import { type LogFinding, logFinding } from '../finding.ts';
import { hashedData } from '../ima/template-digest.ts';
import type { BootLog } from '../log.ts';
import { decodeEventData, type EventData } from './event-data.ts';

/**
 * What of an event its digest is a digest of.
 * - data: all of the data.
 * - prefix: all but its last octet, the NUL of a text or what old releases of shim log too much.
 * - value: of a variable, the value alone, so that its name is only somebody's word; of a tagged event, its content.
 * - text: the text without the words in front that say what it is (GRUB), or written in ASCII (systemd's names of sections).
 * - none: something else, of which the data merely tells; or nothing, as the event was not extended.
 */
export type Coverage = 'data' | 'prefix' | 'value' | 'text' | 'none';

/** Types whose digest is of something that is not in the log: an image, a region of memory. */
const UNCOVERED: ReadonlySet<string | number> = new Set([
  'EV_NO_ACTION',
  'EV_EFI_BOOT_SERVICES_APPLICATION',
  'EV_EFI_BOOT_SERVICES_DRIVER',
  'EV_EFI_RUNTIME_SERVICES_DRIVER',
  'EV_EFI_PLATFORM_FIRMWARE_BLOB',
  'EV_EFI_PLATFORM_FIRMWARE_BLOB2',
]);

/**
 * Compares the digest of one bank with the data; 'none' too where the bank cannot be computed.
 * @param decoded what `decodeEventData` gave, to whom has it already
 */
export function coverageOf(event: LogEvent, bank: TpmBank, decoded?: EventData): Coverage {
  const digest = digestOf(event, bank);
  if (digest === undefined || UNCOVERED.has(event.type) || !isTpmHash(bank) || !isTpmHashAvailable(bank)) return 'none';
  const { source, data } = event;
  if (data.length === 0 && source !== 'tcg') return 'none';
  const covers = comparer(bank, digest);
  if (source === 'ima') return covers(hashedData(String(event.type), data)) ? 'data' : 'none';
  // Most of a GRUB log: what is measured is the text behind its first word.
  const text = event.type === 'EV_IPL' ? textCovered(decoded ?? decodeEventData(event), covers) : false;
  if (text) return 'text';
  if (covers(data)) return 'data';
  if (data.length > 1 && covers(data.subarray(0, -1))) return 'prefix';
  return source === 'tcg' ? valueCovered(event, covers, decoded) : 'none';
}

type Covers = (bytes: Uint8Array) => boolean;

/** Digests are compared as text of one character an octet, which costs half as much as making bytes of them. */
function comparer(bank: TpmHash, digest: Uint8Array): Covers {
  const digester = digesterOf(bank);
  return (bytes) => {
    const text = digester(bytes);
    if (text.length !== digest.length) return false;
    for (let i = 0; i < digest.length; i++) if (text.charCodeAt(i) !== digest[i]) return false;
    return true;
  };
}

const digesters = new Map<TpmHash, (bytes: Uint8Array) => string>();

function digesterOf(bank: TpmHash): (bytes: Uint8Array) => string {
  let digester = digesters.get(bank);
  if (digester === undefined) {
    digester = latin1Digester(digestAlgorithmOf(bank));
    digesters.set(bank, digester);
  }
  return digester;
}

/** GRUB's texts behind their first word; systemd's names of sections in ASCII with a NUL. */
function textCovered(decoded: EventData, covers: Covers): boolean {
  if (decoded.kind !== 'text') return false;
  const { text, meaning } = decoded;
  const isWide = text.encoding === 'utf-16le';
  if (!isWide && (meaning === undefined || meaning.argument === text.text)) return false;
  const measured = utf8(isWide ? text.text : (meaning?.argument ?? ''));
  return covers(isWide ? concatBytes(measured, Uint8Array.of(0)) : measured) || (isWide && covers(measured));
}

function valueCovered(event: LogEvent, covers: Covers, known: EventData | undefined): Coverage {
  switch (event.type) {
    case 'EV_EVENT_TAG':
    case 'EV_EFI_VARIABLE_DRIVER_CONFIG':
    case 'EV_EFI_VARIABLE_BOOT':
    case 'EV_EFI_VARIABLE_BOOT2':
    case 'EV_EFI_VARIABLE_AUTHORITY':
      break;
    default:
      return 'none';
  }
  const decoded = known ?? decodeEventData(event);
  if (decoded.kind === 'variable') return covers(decoded.variable.variableData) ? 'value' : 'none';
  return decoded.kind === 'tagged' && covers(decoded.content) ? 'value' : 'none';
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

/**
 * How far an event may be believed, by the digest of one bank.
 * @param decoded what `decodeEventData` gave, to whom has it already
 */
export function trustOf(event: LogEvent, bank: TpmBank, decoded?: EventData): EventTrust {
  if (event.type === 'EV_NO_ACTION' || event.digests.length === 0) return 'unmeasured';
  return TRUST[coverageOf(event, bank, decoded)];
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

/**
 * The events whose data should be covered by their digest and is not, in one bank.
 * @param trusts what `trustOf` gave in this bank for each event, to whom has it already
 */
export function checkEventData(
  log: BootLog,
  bank: TpmBank,
  artefact = 'event log',
  trusts?: readonly EventTrust[],
): LogFinding[] {
  const findings: LogFinding[] = [];
  for (const [i, event] of log.events.entries()) {
    const shouldBe = event.source === 'tcg' ? COVERED.has(event.type) : event.source === 'userspace' && isPlain(event);
    if (!shouldBe || digestOf(event, bank) === undefined) continue;
    if ((trusts?.[i] ?? trustOf(event, bank)) !== 'claimed') continue;
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
