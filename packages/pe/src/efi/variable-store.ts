// SPDX-License-Identifier: Apache-2.0
import { bytes, type Codec, utf16leNul } from '@vouchsafe/codec';
import { alignUp } from '../align.ts';
import { PeError } from '../error.ts';
import { MAX_STORE_BYTES } from '../limits.ts';
import { decodeStructure } from '../read/read-structure.ts';
import {
  authenticatedVariableHeader,
  efiFirmwareVolumeHeader,
  FIRMWARE_VOLUME_HEADER_BYTES,
  isHeaderUnfinished,
  VARIABLE_ALIGNMENT,
  VARIABLE_HEADER_BYTES,
  VARIABLE_STATE,
  VARIABLE_STORE_HEADER_BYTES,
  variableStoreHeader,
  wasAdded,
} from './variable-format.ts';

/** A variable as the store has it. */
export interface StoredVariable {
  readonly name: string;
  readonly vendor: string;
  readonly attributes: number;
  /** EFI_TIME, 16 octets; zeros for a variable that is not authenticated. */
  readonly timeBytes: Uint8Array;
  readonly data: Uint8Array;
}

/** A record of the store: also of variables that were deleted or overwritten since. */
export interface VariableRecord extends StoredVariable {
  /** Empty when the write was cut short; such a record is never live. */
  readonly name: string;
  /** Octets from the start of the file to its header. */
  readonly offset: number;
  readonly state: number;
}

/** The authenticated variable store of a firmware volume, as in OVMF_VARS.fd. */
export interface VariableStore {
  /** The whole file. */
  readonly bytes: Uint8Array;
  /** In the order of the store. */
  readonly records: readonly VariableRecord[];
  /** Where the next record goes, and where the store ends. */
  readonly freeOffset: number;
  readonly endOffset: number;
}

/** Octets of a name with its NUL, and records; OVMF's store is 256 KiB. */
const MAX_NAME_BYTES = 2048;
const MAX_RECORDS = 65_536;

/**
 * The store at the start of the volume. EDK II, MdeModulePkg/Universal/Variable; the offsets are those of OVMF.
 * @param label what to call the file in messages.
 * @throws {PeError} 'store_malformed' with the offset, 'limit'.
 */
export function decodeVariableStore(file: Uint8Array, label = 'variable store'): VariableStore {
  if (file.length > MAX_STORE_BYTES) {
    const message = `${label}: expected at most ${MAX_STORE_BYTES} octets, found ${file.length}`;
    throw new PeError('limit', message, { offset: 0 });
  }
  const structure = <T>(codec: Codec<T>, offset: number, sizeBytes: number, end: number): T => {
    if (offset + sizeBytes > end) throw malformed(label, `expected ${codec.name} of ${sizeBytes} octets`, offset);
    return decodeStructure(codec, file.subarray(offset, offset + sizeBytes), offset, label, 'store_malformed');
  };
  const volume = structure(efiFirmwareVolumeHeader, 0, FIRMWARE_VOLUME_HEADER_BYTES, file.length);
  const start = volume.headerLength;
  if (
    volume.fvLength > BigInt(file.length) ||
    start < FIRMWARE_VOLUME_HEADER_BYTES ||
    start % VARIABLE_ALIGNMENT !== 0
  ) {
    throw malformed(
      label,
      `expected a volume of at most ${file.length} octets, found ${volume.fvLength} after ${start}`,
      0x20,
    );
  }
  requireVolumeChecksum(file, start, label);
  // The one place where the 64-bit size becomes a number; it was found not to exceed the file.
  const volumeEnd = Number(volume.fvLength);
  const store = structure(variableStoreHeader, start, VARIABLE_STORE_HEADER_BYTES, volumeEnd);
  const endOffset = start + store.size;
  if (store.size < VARIABLE_STORE_HEADER_BYTES || endOffset > volumeEnd) {
    throw malformed(label, `expected a store within the volume's ${volumeEnd} octets, found ${store.size}`, start + 16);
  }
  const records: VariableRecord[] = [];
  let at = start + VARIABLE_STORE_HEADER_BYTES;
  // Flash that was never written is all ones: there the records end.
  while (at + 2 <= endOffset && !(file[at] === 0xff && file[at + 1] === 0xff)) {
    if (records.length === MAX_RECORDS) {
      throw new PeError('limit', `${label}: expected at most ${MAX_RECORDS} records, found more`, { offset: at });
    }
    const header = structure(authenticatedVariableHeader, at, VARIABLE_HEADER_BYTES, endOffset);
    const isUnfinished = isHeaderUnfinished(header);
    const { nameSize, dataSize } = isUnfinished ? { nameSize: 0, dataSize: 0 } : header;
    const nameAt = at + VARIABLE_HEADER_BYTES;
    if (nameSize > MAX_NAME_BYTES || nameAt + nameSize + dataSize > endOffset) {
      throw malformed(label, `expected a variable within the store, found ${nameSize} and ${dataSize} octets`, at);
    }
    const { attributes, vendorGuid: vendor, timeStamp: timeBytes, state } = header;
    // Where power went away before the state said that all is there, a name may be anything.
    const isWhole = !isUnfinished && wasAdded(state);
    const name = isWhole ? structure(utf16leNul(bytes(nameSize)), nameAt, nameSize, endOffset) : '';
    const data = file.subarray(nameAt + nameSize, nameAt + nameSize + dataSize);
    records.push({ name, vendor, attributes, timeBytes, data, offset: at, state });
    at = Math.min(endOffset, alignUp(nameAt + nameSize + dataSize, VARIABLE_ALIGNMENT));
  }
  return { bytes: file, records, freeOffset: at, endOffset };
}

/**
 * The variables that firmware sees: added and not deleted, the first of each name. One that is in transition counts only
 * where its successor was not written (EDK II, MdeModulePkg/Universal/Variable/RuntimeDxe, FindVariableEx).
 */
export function liveVariables({ records }: VariableStore): VariableRecord[] {
  const live = new Map<string, VariableRecord>();
  for (const wanted of [VARIABLE_STATE.added, VARIABLE_STATE.added & VARIABLE_STATE.inDeletedTransition]) {
    for (const record of records) {
      const key = `${record.vendor} ${record.name}`;
      if (record.state === wanted && record.name !== '' && !live.has(key)) live.set(key, record);
    }
  }
  return [...live.values()].toSorted((a, b) => a.offset - b.offset);
}

/** True when both are the same variable, whatever it holds. */
export function isSameVariable(
  a: Pick<StoredVariable, 'name' | 'vendor'>,
  b: Pick<StoredVariable, 'name' | 'vendor'>,
): boolean {
  return a.name === b.name && a.vendor === b.vendor;
}

/** UEFI PI 1.8, volume 3, 3.2.1: the 16-bit words of the header add up to zero. */
function requireVolumeChecksum(file: Uint8Array, headerLength: number, label: string): void {
  if (headerLength > file.length) throw malformed(label, `expected a header of ${headerLength} octets`, 0x30);
  const view = new DataView(file.buffer, file.byteOffset, headerLength);
  let sum = 0;
  for (let at = 0; at < headerLength; at += 2) sum = (sum + view.getUint16(at, true)) & 0xffff;
  if (sum !== 0) throw malformed(label, `expected a volume header whose words add up to 0, found ${sum}`, 0x32);
}

function malformed(label: string, message: string, offset: number): PeError {
  return new PeError('store_malformed', `${label}: ${message}`, { offset });
}
