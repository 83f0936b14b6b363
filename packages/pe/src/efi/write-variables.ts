// SPDX-License-Identifier: Apache-2.0
import { concatBytes } from '@vouchsafe/base';
import { encode, rest, utf16leNul } from '@vouchsafe/codec';
import { alignUp } from '../align.ts';
import { PeError } from '../error.ts';
import { EFI_TIME_BYTES, efiTimeOf, encodeEfiTime } from './efi-time.ts';
import {
  EDK2_SECURE_BOOT_ENABLE,
  EFI_GLOBAL_VARIABLE,
  EFI_IMAGE_SECURITY_DATABASE,
  KEY_VARIABLE_ATTRIBUTES,
  VARIABLE_ATTRIBUTE,
} from './guids.ts';
import {
  authenticatedVariableHeader,
  VARIABLE_ALIGNMENT,
  VARIABLE_START_ID,
  VARIABLE_STATE,
} from './variable-format.ts';
import { decodeVariableStore, isSameVariable, type StoredVariable, type VariableStore } from './variable-store.ts';

/** Offset of State in a variable's header. EDK II, VariableFormat.h. */
const STATE_OFFSET = 2;

/**
 * A copy of the store's file in which the variables are set, as firmware would leave it: old records are marked deleted,
 * new ones follow the last. A variable without data is deleted. No signature is asked for: who writes the file is the
 * platform's owner.
 * @throws {PeError} 'store_full', 'options_invalid'.
 */
export function writeVariables(store: VariableStore, variables: readonly StoredVariable[]): Uint8Array {
  const file = Uint8Array.from(store.bytes);
  let at = store.freeOffset;
  for (const [i, variable] of variables.entries()) {
    if (variables.slice(0, i).some((earlier) => isSameVariable(earlier, variable))) {
      throw new PeError('options_invalid', `expected variable ${variable.name} once`);
    }
    for (const { offset } of store.records.filter((record) => isSameVariable(record, variable))) {
      file[offset + STATE_OFFSET] = (file[offset + STATE_OFFSET] ?? 0) & VARIABLE_STATE.deleted;
    }
    if (variable.data.length === 0) continue;
    const record = encodeRecord(variable);
    const end = at + record.length;
    if (end > store.endOffset) {
      const message = `expected room for variable ${variable.name} of ${record.length} octets, found ${store.endOffset - at}`;
      throw new PeError('store_full', message, { offset: at });
    }
    // Flash can be written where it is erased only.
    if (file.subarray(at, end).some((octet) => octet !== 0xff)) {
      throw new PeError('store_malformed', 'expected erased flash (0xff) after the last variable', { offset: at });
    }
    file.set(record, at);
    at = Math.min(store.endOffset, alignUp(end, VARIABLE_ALIGNMENT));
  }
  return file;
}

function encodeRecord({ name, vendor, attributes, timeBytes, data }: StoredVariable): Uint8Array {
  if (name === '') throw new PeError('options_invalid', 'expected a variable with a name');
  const nameBytes = encode(utf16leNul(rest), name);
  const header = encode(authenticatedVariableHeader, {
    startId: VARIABLE_START_ID,
    state: VARIABLE_STATE.added,
    reserved: 0,
    attributes,
    monotonicCount: 0n,
    timeStamp: timeBytes,
    pubKeyIndex: 0,
    nameSize: nameBytes.length,
    dataSize: data.length,
    vendorGuid: vendor,
  });
  return concatBytes(header, nameBytes, data);
}

/** Keys of Secure Boot, each as signature lists. */
export interface SecureBootKeys {
  readonly pk: Uint8Array;
  readonly kek: Uint8Array;
  readonly db: Uint8Array;
  readonly dbx?: Uint8Array;
  /** Milliseconds since 1970, whole seconds: signed updates must be later. */
  readonly timeMs: number;
}

/**
 * A copy of an OVMF store with Secure Boot on and these keys, so that no boot is needed to enrol them.
 * @param file OVMF_VARS.fd or OVMF_VARS_4M.fd.
 * @throws {PeError} 'store_malformed', 'store_full', 'options_invalid', 'limit'.
 */
export function enrolSecureBoot(file: Uint8Array, { pk, kek, db, dbx, timeMs }: SecureBootKeys): Uint8Array {
  const timeBytes = encodeEfiTime(efiTimeOf(timeMs));
  const attributes = KEY_VARIABLE_ATTRIBUTES;
  const key = (name: string, vendor: string, data: Uint8Array): StoredVariable => ({
    name,
    vendor,
    attributes,
    timeBytes,
    data,
  });
  const enable: StoredVariable = {
    name: 'SecureBootEnable',
    vendor: EDK2_SECURE_BOOT_ENABLE,
    attributes: VARIABLE_ATTRIBUTE.nonVolatile | VARIABLE_ATTRIBUTE.bootserviceAccess,
    timeBytes: new Uint8Array(EFI_TIME_BYTES),
    data: Uint8Array.of(1),
  };
  return writeVariables(decodeVariableStore(file), [
    key('PK', EFI_GLOBAL_VARIABLE, pk),
    key('KEK', EFI_GLOBAL_VARIABLE, kek),
    key('db', EFI_IMAGE_SECURITY_DATABASE, db),
    ...(dbx === undefined ? [] : [key('dbx', EFI_IMAGE_SECURITY_DATABASE, dbx)]),
    enable,
  ]);
}
