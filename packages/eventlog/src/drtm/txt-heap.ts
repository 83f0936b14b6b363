// SPDX-License-Identifier: Apache-2.0
import { CodecError, decodeAt, list, Reader, struct, u16le, u32le, u64le } from '@vouchsafe/codec';
import { EventLogError } from '../error.ts';

/** Where the log of a dynamic launch lies, as the TXT heap or a resource table says. */
export interface LaunchLogPointer {
  /** 'txt_container': TPM 1.2. 'txt_descriptor': one log for each bank, before TXT took the TCG's. 'agile': the TCG's. */
  readonly format: 'txt_container' | 'txt_descriptor' | 'agile';
  /** Physical address. */
  readonly address: bigint;
  /** Octets that were allocated; undefined where the log itself says it. */
  readonly sizeBytes?: number;
  /** Octets from the start of the log to the first event, and to where the next one would go. */
  readonly firstOffset?: number;
  readonly nextOffset?: number;
}

/** OsSinitData, without its size in front. Intel TXT Software Development Guide, appendix C (TXT heap memory). */
export const osSinitData = struct('OsSinitData', {
  version: [u32le, '6 for TPM 1.2, 7 for TPM 2.0; extended data elements since 6'],
  flags: u32le,
  mlePageTableBase: u64le,
  mleSize: u64le,
  mleHeaderBase: u64le,
  pmrLowBase: u64le,
  pmrLowSize: u64le,
  pmrHighBase: u64le,
  pmrHighSize: u64le,
  lcpPolicyBase: u64le,
  lcpPolicySize: u64le,
  capabilities: u32le,
  rsdp: u64le,
});

/** HEAP_EXT_DATA_ELEMENT: what an extended data element begins with. */
const elementHeader = struct('HEAP_EXT_DATA_ELEMENT', { type: u32le, size: [u32le, 'octets, these eight included'] });

/** HEAP_EVENT_LOG_DESCR, of HEAP_EVENT_LOG_POINTER_ELEMENT2. */
const eventLogDescriptor = struct('HEAP_EVENT_LOG_DESCR', {
  hashAlgId: u16le,
  reserved: u16le,
  physicalAddress: u64le,
  allocatedSize: u32le,
  firstRecordOffset: u32le,
  nextRecordOffset: u32le,
});

/** HEAP_EVENT_LOG_POINTER_ELEMENT2_1. */
export const heapEventLogPointer21 = struct('HEAP_EVENT_LOG_POINTER_ELEMENT2_1', {
  physicalAddress: u64le,
  allocatedEventContainerSize: u32le,
  firstRecordOffset: u32le,
  nextRecordOffset: u32le,
});

const ELEMENT = { end: 0, eventLogPointer: 5, eventLogPointer2: 7, eventLogPointer21: 8 } as const;
const FIRST_WITH_ELEMENTS = 6;
const MAX_ELEMENTS = 64;
const MAX_BANKS = 16;
/** BiosData, OsMleData and OsSinitData come in this order. */
const TABLES_BEFORE = 2;
const SIZE_BYTES = 8;
const HEADER_BYTES = 8;
const NO_SCOPE = { get: () => undefined };

/**
 * The logs that a TXT heap points to. The heap is a list of tables, each with its size in front; the third one is what the
 * boot loader gave to SINIT, and says where the log is to go.
 * @throws {EventLogError} 'log_malformed' for tables and elements that do not fit
 */
export function decodeTxtHeap(heap: Uint8Array): LaunchLogPointer[] {
  try {
    const r = new Reader(heap);
    for (let i = 0; i < TABLES_BEFORE; i++) passTable(r);
    const start = r.pos;
    const size = passTable(r);
    return pointersIn(heap.subarray(start + SIZE_BYTES, start + size));
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new EventLogError('log_malformed', error.message, { offset: error.offset, cause: error });
  }
}

/** Passes over a table, and returns its octets, its size included. */
function passTable(r: Reader): number {
  const at = r.pos;
  const size = r.view.getBigUint64(r.take(SIZE_BYTES), true);
  if (size < BigInt(SIZE_BYTES) || size > BigInt(r.end - at)) {
    throw new CodecError('limit', at, `expected a table of ${SIZE_BYTES} to ${r.end - at} octets, found ${size}`);
  }
  r.take(Number(size) - SIZE_BYTES);
  return Number(size);
}

function pointersIn(table: Uint8Array): LaunchLogPointer[] {
  const r = new Reader(table);
  if (osSinitData.read(r, NO_SCOPE).version < FIRST_WITH_ELEMENTS) return [];
  const pointers: LaunchLogPointer[] = [];
  for (let count = 0; r.pos < r.end; count++) {
    const at = r.pos;
    if (count >= MAX_ELEMENTS) throw new CodecError('limit', at, `more than ${MAX_ELEMENTS} elements`);
    const { type, size } = elementHeader.read(r, NO_SCOPE);
    if (type === ELEMENT.end) break;
    if (size < HEADER_BYTES)
      throw new CodecError('invalid', at, `expected an element of 8 octets or more, found ${size}`);
    pointers.push(...pointersOf(type, r.takeBytes(size - HEADER_BYTES)));
  }
  return pointers;
}

function pointersOf(type: number, data: Uint8Array): LaunchLogPointer[] {
  switch (type) {
    case ELEMENT.eventLogPointer:
      return [{ format: 'txt_container', address: decodeAt(u64le, data).value }];
    case ELEMENT.eventLogPointer2:
      return decodeAt(list(u32le, eventLogDescriptor, MAX_BANKS), data).value.map((d) => ({
        format: 'txt_descriptor',
        address: d.physicalAddress,
        sizeBytes: d.allocatedSize,
        firstOffset: d.firstRecordOffset,
        nextOffset: d.nextRecordOffset,
      }));
    case ELEMENT.eventLogPointer21: {
      const p = decodeAt(heapEventLogPointer21, data).value;
      return [
        {
          format: 'agile',
          address: p.physicalAddress,
          sizeBytes: p.allocatedEventContainerSize,
          firstOffset: p.firstRecordOffset,
          nextOffset: p.nextRecordOffset,
        },
      ];
    }
    default:
      return [];
  }
}
