// SPDX-License-Identifier: Apache-2.0
import { VouchsafeError } from '@vouchsafe/base';
import { CodecError } from '@vouchsafe/codec';

export type EventLogErrorCode =
  | 'log_empty' // no bytes at all
  | 'log_spec_id' // the header event is of a version that is not known, or contradicts itself
  | 'log_malformed' // an event that ends too early, or breaks the format in another way
  | 'log_limit' // an event larger, or a log longer, than the limits
  | 'log_unknown' // bytes that look like no kind of log
  | 'log_padding' // bytes 0xff after the last event, without the quirk that allows them
  | 'pcr_list_malformed' // text that should be PCR values and is not
  | 'bank_unsupported'; // replay was asked for in a bank that this runtime cannot compute

/** A log that cannot be read. None of its events is then to be used: what was cut off could have changed each answer. */
export class EventLogError extends VouchsafeError<EventLogErrorCode> {
  override readonly name = 'EventLogError';
  readonly code: EventLogErrorCode;
  /** Index of the event, from 0, where one is concerned. */
  readonly event: number | undefined;
  /** Octets from the start of the log, of the event or the field. */
  readonly offset: number | undefined;

  constructor(
    code: EventLogErrorCode,
    message: string,
    place: ErrorOptions & { readonly event?: number; readonly offset?: number } = {},
  ) {
    const { event, offset, ...options } = place;
    const where = [
      event === undefined ? '' : `event ${event}`,
      offset === undefined ? '' : `@0x${offset.toString(16)}`,
    ];
    const prefix = where.filter((part) => part !== '').join(' ');
    super(prefix === '' ? message : `${prefix}: ${message}`, options);
    this.code = code;
    this.event = event;
    this.offset = offset;
  }
}

/** Adds which event it was to a fault of the format; anything else is thrown on as it is. */
export function rethrowInEvent(event: number, name: string, error: unknown): never {
  if (!(error instanceof CodecError)) throw error;
  const { code, offset } = error.under(name);
  throw new EventLogError(code === 'limit' ? 'log_limit' : 'log_malformed', error.message, {
    event,
    offset,
    cause: error,
  });
}
