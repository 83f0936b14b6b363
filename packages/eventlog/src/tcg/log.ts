// SPDX-License-Identifier: Apache-2.0
import { ascii, bytesEqual } from '@vouchsafe/base';
import { type Codec, CodecError, decode, Reader, type Scope } from '@vouchsafe/codec';
import { formatBank, isTpmHash, type TpmBank, tpmHashSize } from '@vouchsafe/tpm';
import { EventLogError, rethrowInEvent } from '../error.ts';
import type { BootEvent } from '../event.ts';
import { type LogLimits, TCG_LIMITS } from '../limits.ts';
import { TCG_EVENT_TYPES, type TcgEventType } from './event-type.ts';
import {
  isDigestSize,
  type TcgEfiSpecIdEvent,
  type TcgPcrEvent,
  tcgEfiSpecIdEvent,
  tcgPcrEvent,
  tcgPcrEvent2,
} from './structures.ts';

/** An entry of a firmware log. */
export interface TcgEvent extends BootEvent {
  readonly source: 'tcg';
  readonly type: TcgEventType | number;
}

/** A firmware log, read to its end. */
export interface TcgLog {
  readonly kind: 'tcg';
  /** 'sha1': TCG_PCR_EVENT throughout. 'agile': TCG_PCR_EVENT2 after a Spec ID Event03 header. */
  readonly format: 'sha1' | 'agile';
  /** The header, of agile logs. */
  readonly specId?: TcgEfiSpecIdEvent;
  /** The banks that the log has digests for, as its header declares them. */
  readonly banks: readonly TpmBank[];
  readonly events: readonly TcgEvent[];
}

/** Deviations from the format that a caller may allow, by name. */
export type TcgLogQuirk =
  /**
   * TDX guests expose the whole area that ACPI's CCEL table reserves, filled up with 0xff after the last event; seen with
   * Google's and Intel's TDVF.
   */
  | 'ccel_padding'
  /** The area of a log is filled up with zeros after the last event: the logs of dynamic launches are kept so. */
  | 'zero_padding';

export interface TcgLogOptions {
  readonly limits?: LogLimits;
  readonly quirks?: readonly TcgLogQuirk[];
}

const SPEC_ID_EVENT03 = ascii('Spec ID Event03\0');
const NO_SCOPE: Scope = { get: () => undefined };

/**
 * A log of the TCG PC Client Platform Firmware Profile, as /sys/kernel/security/tpm0/binary_bios_measurements gives it.
 * Byte fields are views of `bytes`.
 * @throws {EventLogError} for anything but whole events up to the last byte: a part of a log is never accepted
 */
export function decodeTcgLog(bytes: Uint8Array, options: TcgLogOptions = {}): TcgLog {
  const { limits = TCG_LIMITS, quirks = [] } = options;
  if (bytes.length === 0) throw new EventLogError('log_empty', 'expected a log, found no bytes');
  const r = new Reader(bytes);
  const sha1Event = tcgPcrEvent(limits.maxEventBytes);
  const first = readEvent(r, sha1Event, 0);
  const header = isSpecId03(first.eventType, first.event) ? decodeSpecId(first.event) : undefined;
  const events: TcgEvent[] = [sha1Entry(first, 0, 0)];
  const next = header === undefined ? sha1Reader(sha1Event) : agileReader(header, limits);
  while (r.pos < r.end) {
    const index = events.length;
    if (isPadding(bytes, r.pos, 0) && quirks.includes('zero_padding')) break;
    if (isPadding(bytes, r.pos, 0xff)) {
      if (quirks.includes('ccel_padding')) break;
      const message =
        "expected an event, found only 0xff up to the end; allow the quirk 'ccel_padding' for a CCEL area";
      throw new EventLogError('log_padding', message, { event: index, offset: r.pos });
    }
    if (index >= limits.maxEvents) {
      const message = `expected at most ${limits.maxEvents} events, found more`;
      throw new EventLogError('log_limit', message, { event: index, offset: r.pos });
    }
    events.push(next(r, index));
  }
  return header === undefined
    ? { kind: 'tcg', format: 'sha1', banks: ['sha1'], events }
    : {
        kind: 'tcg',
        format: 'agile',
        specId: header,
        banks: header.digestSizes.map(({ algorithmId }) => algorithmId),
        events,
      };
}

function readEvent<T>(r: Reader, codec: Codec<T>, index: number): T {
  try {
    return codec.read(r, NO_SCOPE);
  } catch (error) {
    return rethrowInEvent(index, codec.name, error);
  }
}

function sha1Entry(event: TcgPcrEvent, index: number, offset: number): TcgEvent {
  const { pcrIndex, eventType, digest, event: data } = event;
  return { source: 'tcg', index, offset, pcr: pcrIndex, type: eventType, digests: [{ bank: 'sha1', digest }], data };
}

type EntryReader = (r: Reader, index: number) => TcgEvent;

function sha1Reader(codec: ReturnType<typeof tcgPcrEvent>): EntryReader {
  return (r, index) => {
    const offset = r.pos;
    return sha1Entry(readEvent(r, codec, index), index, offset);
  };
}

function agileReader(header: TcgEfiSpecIdEvent, limits: LogLimits): EntryReader {
  const codec = tcgPcrEvent2(header.digestSizes, limits.maxEventBytes);
  return (r, index) => {
    const offset = r.pos;
    const { pcrIndex, eventType, digests, event } = readEvent(r, codec, index);
    // The arms come from the header, so that the type of hashAlg is wider than what tpmAlgIdLe gives.
    const seen = digests.map(({ hashAlg, digest }) => ({ bank: hashAlg as TpmBank, digest }));
    for (let i = 1; i < seen.length; i++) {
      // Two digests for one bank: which of them was extended is anybody's guess.
      if (seen.findIndex(({ bank }) => bank === seen[i]?.bank) < i) {
        const message = `expected one digest for each bank, found two for ${formatBank(seen[i]?.bank ?? 0)}`;
        throw new EventLogError('log_malformed', message, { event: index, offset });
      }
    }
    return { source: 'tcg', index, offset, pcr: pcrIndex, type: eventType, digests: seen, data: event };
  };
}

/**
 * Whether these bytes look like a firmware log: its first event is EV_NO_ACTION with a header's signature, or one of a known
 * type for a PCR that a TPM has, and whole.
 */
export function isTcgLog(bytes: Uint8Array): boolean {
  if (bytes.length < 32) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [pcr, type, size] = [view.getUint32(0, true), view.getUint32(4, true), view.getUint32(28, true)];
  return pcr < 24 && TYPE_NUMBERS.has(type) && size <= bytes.length - 32;
}

const TYPE_NUMBERS: ReadonlySet<number> = new Set(Object.values(TCG_EVENT_TYPES));

function isSpecId03(type: TcgEventType | number, data: Uint8Array): boolean {
  return type === 'EV_NO_ACTION' && bytesEqual(data.subarray(0, SPEC_ID_EVENT03.length), SPEC_ID_EVENT03);
}

/** The header of an agile log. Profile 1.06, section 10.4.5.1. */
function decodeSpecId(data: Uint8Array): TcgEfiSpecIdEvent {
  const refuse = (message: string, options: ErrorOptions = {}): never => {
    throw new EventLogError('log_spec_id', message, { event: 0, ...options });
  };
  let header: TcgEfiSpecIdEvent;
  try {
    header = decode(tcgEfiSpecIdEvent, data);
  } catch (cause) {
    if (!(cause instanceof CodecError)) throw cause;
    return refuse(`expected a Spec ID Event03 header: ${cause.message}`, { cause });
  }
  const { specVersionMajor, specVersionMinor, digestSizes } = header;
  if (specVersionMajor !== 2) {
    refuse(`expected version 2 of the format, found ${specVersionMajor}.${specVersionMinor}`);
  }
  if (digestSizes.length === 0) refuse('expected one bank or more, found none');
  if (new Set(digestSizes.map(({ algorithmId }) => algorithmId)).size !== digestSizes.length) {
    refuse('expected each bank once, found one twice');
  }
  for (const { algorithmId, digestSize } of digestSizes) {
    if (!isDigestSize(digestSize) || (isTpmHash(algorithmId) && digestSize !== tpmHashSize(algorithmId))) {
      refuse(`expected the digest size of ${formatBank(algorithmId)}, found ${digestSize} octets`);
    }
  }
  return header;
}

/** True when nothing but that octet is left; of 0xff, enough of it that it cannot be an event. */
function isPadding(bytes: Uint8Array, from: number, octet: number): boolean {
  // The cheap test first: no event starts so, as no TPM has PCR 0xffffffff, and no log an EV_PREBOOT_CERT for PCR 0.
  for (let i = from; i < Math.min(from + 8, bytes.length); i++) if (bytes[i] !== octet) return false;
  for (let i = from + 8; i < bytes.length; i++) if (bytes[i] !== octet) return false;
  return true;
}
