// SPDX-License-Identifier: Apache-2.0
import { CodecError, constant, decodeAt, Reader, struct, u16le, u32le, u64le } from '@vouchsafe/codec';
import { EventLogError } from '../error.ts';
import type { LaunchLogPointer } from './txt-heap.ts';

/** SLR_TABLE, Secure Launch Resource Table, of TrenchBoot on AMD and Intel. Linux, include/linux/slr_table.h. */
export const slrTable = struct('SLR_TABLE', {
  magic: constant(u32le, 0x4452_544d),
  revision: u16le,
  architecture: [u16le, '1 Intel TXT, 2 AMD SKINIT'],
  size: [u32le, 'octets in use, this header included'],
  maxSize: u32le,
});

const slrEntryHeader = struct('SLR_ENTRY_HDR', { tag: u32le, size: [u32le, 'octets, these eight included'] });

/** SLR_ENTRY_LOG_INFO, behind its header. */
const slrEntryLogInfo = struct('SLR_ENTRY_LOG_INFO', { format: u16le, reserved: u16le, size: u32le, addr: u64le });

const TAG = { logInfo: 2, end: 0xffff } as const;
/** SLR_DRTM_TPM12_LOG and SLR_DRTM_TPM20_LOG. */
const FORMATS: Readonly<Record<number, LaunchLogPointer['format']>> = { 1: 'txt_container', 2: 'agile' };
const MAX_ENTRIES = 64;
const HEADER_BYTES = 8;
const NO_SCOPE = { get: () => undefined };

/**
 * The logs that a Secure Launch Resource Table points to.
 * @throws {EventLogError} 'log_malformed' for a table or entries that do not fit, or a log of a format without a name here
 */
export function decodeSlrTable(table: Uint8Array): LaunchLogPointer[] {
  try {
    const { value, end } = decodeAt(slrTable, table);
    if (value.size < end || value.size > table.length) {
      throw new CodecError('limit', 8, `expected a size of ${end} to ${table.length}, found ${value.size}`);
    }
    const r = new Reader(table.subarray(0, value.size));
    r.pos = end;
    return entriesOf(r);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new EventLogError('log_malformed', error.message, { offset: error.offset, cause: error });
  }
}

function entriesOf(r: Reader): LaunchLogPointer[] {
  const pointers: LaunchLogPointer[] = [];
  for (let count = 0; r.pos < r.end; count++) {
    const at = r.pos;
    if (count >= MAX_ENTRIES) throw new CodecError('limit', at, `more than ${MAX_ENTRIES} entries`);
    const { tag, size } = slrEntryHeader.read(r, NO_SCOPE);
    if (tag === TAG.end) break;
    if (size < HEADER_BYTES)
      throw new CodecError('invalid', at, `expected an entry of 8 octets or more, found ${size}`);
    const data = r.takeBytes(size - HEADER_BYTES);
    if (tag !== TAG.logInfo) continue;
    const info = decodeAt(slrEntryLogInfo, data).value;
    const format = FORMATS[info.format];
    if (format === undefined)
      throw new CodecError('unknown_value', at, `expected log format 1 or 2, found ${info.format}`);
    pointers.push({ format, address: info.addr, sizeBytes: info.size });
  }
  return pointers;
}
