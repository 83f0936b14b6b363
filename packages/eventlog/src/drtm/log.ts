// SPDX-License-Identifier: Apache-2.0
import { ascii, bytesEqual } from '@vouchsafe/base';
import type { TpmBank } from '@vouchsafe/tpm';
import { EventLogError } from '../error.ts';
import type { BootEvent } from '../event.ts';
import { type LogLimits, TCG_LIMITS } from '../limits.ts';
import { isDrtmPcr } from '../replay/initial.ts';
import { decodeTcgLog, type TcgEvent } from '../tcg/log.ts';
import { DRTM_EVENT_TYPES, type DrtmEventType } from './event-type.ts';
import { decodeTxtContainer } from './txt-container.ts';

/** An event of a dynamic launch. */
export interface DrtmEvent extends BootEvent {
  readonly source: 'drtm';
  readonly type: DrtmEventType | number;
}

/** The log of a dynamic launch: Intel TXT, or Secure Launch on AMD. */
export interface DrtmLog {
  readonly kind: 'drtm';
  /** 'txt_container': SHA-1, of TPM 1.2. 'agile': TCG_PCR_EVENT2 after a Spec ID Event03 header. */
  readonly format: 'txt_container' | 'agile';
  readonly banks: readonly TpmBank[];
  readonly events: readonly DrtmEvent[];
}

export interface DrtmLogOptions {
  readonly limits?: LogLimits;
}

const NAMES = new Map(
  Object.entries(DRTM_EVENT_TYPES).map(([name, value]) => [value as number, name as DrtmEventType]),
);
const CONTAINER = ascii('TXT Event Container\0');

/**
 * The log of a dynamic launch: the event container of Intel TXT for TPM 1.2, or the crypto agile log that TXT's SINIT, SKL
 * (TrenchBoot's loader on AMD) and Linux Secure Launch write. The memory behind the last event is zeros, as the log is
 * kept in an area of a fixed size; Linux shows all of it (securityfs, slaunch/eventlog).
 * @throws {EventLogError}
 */
export function decodeDrtmLog(bytes: Uint8Array, options: DrtmLogOptions = {}): DrtmLog {
  const { limits = TCG_LIMITS } = options;
  if (isTxtContainer(bytes)) {
    const events = decodeTxtContainer(bytes, limits).map(launchEvent);
    return { kind: 'drtm', format: 'txt_container', banks: ['sha1'], events };
  }
  const log = decodeTcgLog(bytes, { limits, quirks: ['zero_padding'] });
  if (log.format !== 'agile') {
    throw new EventLogError('log_spec_id', 'expected a TXT event container, or a Spec ID Event03 header');
  }
  return { kind: 'drtm', format: 'agile', banks: log.banks, events: log.events.map(launchEvent) };
}

/** True for the event container of Intel TXT. */
export function isTxtContainer(bytes: Uint8Array): boolean {
  return bytesEqual(bytes.subarray(0, CONTAINER.length), CONTAINER);
}

/** Whether these are the events of a dynamic launch: that much as is extended goes to PCR 17 to 22. */
export function isLaunch(events: readonly TcgEvent[]): boolean {
  const extended = events.filter(({ type, pcr }) => type !== 'EV_NO_ACTION' && pcr !== UNUSED_PCR);
  return extended.length > 0 && extended.every(({ pcr }) => isDrtmPcr(pcr));
}

/** What TXT writes as the PCR of an event that it does not extend. */
const UNUSED_PCR = 0xff;

function launchEvent(event: TcgEvent): DrtmEvent {
  const type = typeof event.type === 'number' ? (NAMES.get(event.type) ?? event.type) : event.type;
  return { ...event, source: 'drtm', type };
}
