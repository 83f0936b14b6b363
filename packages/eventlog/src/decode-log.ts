// SPDX-License-Identifier: Apache-2.0
import { celEncodingOf, decodeCelLog, isCelTlv } from './cel/log.ts';
import { decodeDrtmLog, isLaunch, isTxtContainer } from './drtm/log.ts';
import { EventLogError } from './error.ts';
import { decodeImaAsciiLog, decodeImaBinaryLog, imaFormatOf } from './ima/log.ts';
import type { BootLog } from './log.ts';
import { decodeTcgLog, isTcgLog, type TcgLogQuirk } from './tcg/log.ts';
import { decodeUserspaceLog } from './userspace/log.ts';

export interface DecodeLogOptions {
  /** Deviations that firmware logs may have. */
  readonly quirks?: readonly TcgLogQuirk[];
}

/** RS of RFC 7464. */
const RECORD_SEPARATOR = 0x1e;

/**
 * A log of any kind, by its content: a name or a place would have to be believed.
 *
 * Firmware logs filled up with 0xff or zeros need the quirk, as everywhere; a log of a dynamic launch may be filled up with
 * zeros, which is how those are kept.
 * @throws {EventLogError} 'log_unknown' where it looks like none; else as the decoder of its kind
 */
export function decodeLog(bytes: Uint8Array, options: DecodeLogOptions = {}): BootLog {
  if (bytes.length === 0) throw new EventLogError('log_empty', 'expected a log, found no bytes');
  if (bytes[0] === RECORD_SEPARATOR) return decodeUserspaceLog(bytes);
  if (isTxtContainer(bytes)) return decodeDrtmLog(bytes);
  if (isCelTlv(bytes)) return decodeCelLog(bytes, 'tlv');
  if (isTcgLog(bytes)) return firmwareOrLaunch(bytes, options);
  const ima = imaFormatOf(bytes);
  if (ima === 'ascii') return decodeImaAsciiLog(bytes);
  if (ima !== undefined) return decodeImaBinaryLog(bytes, ima);
  const cel = celEncodingOf(bytes);
  if (cel !== undefined) return decodeCelLog(bytes, cel);
  throw new EventLogError(
    'log_unknown',
    'expected a firmware log, an IMA list, a userspace log, a canonical log or a launch log; found none of these',
    { offset: 0 },
  );
}

function firmwareOrLaunch(bytes: Uint8Array, { quirks = [] }: DecodeLogOptions): BootLog {
  const log = decodeTcgLog(bytes, { quirks: [...quirks, 'zero_padding'] });
  if (log.format === 'agile' && isLaunch(log.events)) return decodeDrtmLog(bytes);
  const last = log.events.at(-1)?.data;
  const isWhole = last !== undefined && last.byteOffset + last.length === bytes.byteOffset + bytes.length;
  // Filled up with zeros, and nobody allowed for it: the error says where.
  return isWhole || quirks.includes('zero_padding') ? log : decodeTcgLog(bytes, { quirks });
}
