// SPDX-License-Identifier: Apache-2.0
import { parseUtf8, TextError } from '@vouchsafe/base';
import { CodecError, decode, guid } from '@vouchsafe/codec';
import {
  decodeSignatureLists,
  EFI_GLOBAL_VARIABLE,
  EFI_IMAGE_SECURITY_DATABASE,
  type EfiSignature,
  type EfiSignatureList,
  PeError,
  parseSbatLevel,
  type SbatLevel,
} from '@vouchsafe/pe';
import { decodeLoadOption, type LoadOption } from './load-option.ts';

/** What the value of a UEFI variable says. */
export type VariableValue =
  /** SecureBoot, SetupMode, MokListTrusted and the like; `isOn` is false for a variable that is not there. */
  | { readonly kind: 'switch'; readonly isOn: boolean }
  /** PK, KEK, db, dbx, MokList and so on, whole. */
  | { readonly kind: 'signatureLists'; readonly lists: readonly EfiSignatureList[] }
  /** The one entry of db, or of shim's certificates, that something was accepted by. */
  | { readonly kind: 'signature'; readonly signature: EfiSignature }
  | { readonly kind: 'bootOrder'; readonly entries: readonly number[] }
  | { readonly kind: 'loadOption'; readonly option: LoadOption }
  | { readonly kind: 'sbatLevel'; readonly text: string; readonly level?: SbatLevel }
  /** Not known, or not what its name says; then with the reason. */
  | { readonly kind: 'raw'; readonly reason?: string };

/** gEfiShimLockGuid: shim's own variables. rhboot/shim, lib/guid.c. */
export const SHIM_LOCK = '605dab50-e046-4300-abb6-3dd810dd8b23';

const OWNER_BYTES = 16;

/** Variables of one octet. UEFI 2.10, section 3.3 (Globally Defined Variables); rhboot/shim, mok.c. */
const SWITCHES: ReadonlySet<string> = new Set([
  'SecureBoot',
  'SetupMode',
  'AuditMode',
  'DeployedMode',
  'MokListTrusted',
  'MokSBState',
  'MokDBState',
  'MokPolicy',
]);

/** Variables that hold signature lists, by vendor. */
const LISTS: Readonly<Record<string, ReadonlySet<string>>> = {
  [EFI_GLOBAL_VARIABLE]: new Set(['PK', 'KEK']),
  [EFI_IMAGE_SECURITY_DATABASE]: new Set(['db', 'dbx', 'dbt', 'dbr']),
  [SHIM_LOCK]: new Set(['MokList', 'MokListX', 'MokListRT', 'MokListXRT', 'vendor_db', 'vendor_dbx']),
};

/** Variables that shim and firmware name when they say which entry let something through. */
const AUTHORITIES: ReadonlySet<string> = new Set(['db', 'Shim', 'MokList', 'MokListRT', 'vendor_db', 'PK', 'KEK']);

/**
 * Reads the value of a variable by its name. It never throws: the log lets anybody write anything.
 * @param isAuthority of EV_EFI_VARIABLE_AUTHORITY, whose value is one entry of the variable, not all of it
 */
export function decodeVariableValue(
  vendor: string,
  name: string,
  value: Uint8Array,
  isAuthority: boolean,
): VariableValue {
  try {
    return read(vendor, name, value, isAuthority);
  } catch (error) {
    if (error instanceof CodecError || error instanceof PeError || error instanceof TextError) {
      return { kind: 'raw', reason: error.message };
    }
    throw error;
  }
}

function read(vendor: string, name: string, value: Uint8Array, isAuthority: boolean): VariableValue {
  if (SWITCHES.has(name) && value.length <= 1)
    return { kind: 'switch', isOn: value[0] !== undefined && value[0] !== 0 };
  if (name.startsWith('SbatLevel')) return sbatLevel(value);
  if (isAuthority && AUTHORITIES.has(name)) return authority(value);
  if (LISTS[vendor]?.has(name)) return { kind: 'signatureLists', lists: decodeSignatureLists(value, name) };
  if (name === 'BootOrder' && value.length % 2 === 0) {
    const view = new DataView(value.buffer, value.byteOffset, value.length);
    return {
      kind: 'bootOrder',
      entries: Array.from({ length: value.length / 2 }, (_, i) => view.getUint16(2 * i, true)),
    };
  }
  if (/^Boot[0-9A-Fa-f]{4}$/.test(name)) return { kind: 'loadOption', option: decodeLoadOption(value) };
  return { kind: 'raw' };
}

/** EFI_SIGNATURE_DATA; shim logs a bare certificate or the whole list in some releases, which is left as it is. */
function authority(value: Uint8Array): VariableValue {
  if (value.length <= OWNER_BYTES) return { kind: 'raw', reason: 'expected an owner and a signature' };
  const owner = decode(guid, value.subarray(0, OWNER_BYTES));
  return { kind: 'signature', signature: { owner, data: value.subarray(OWNER_BYTES) } };
}

function sbatLevel(value: Uint8Array): VariableValue {
  const text = parseUtf8(value).replace(/\0+$/, '');
  try {
    return { kind: 'sbatLevel', text, level: parseSbatLevel(text) };
  } catch (error) {
    if (error instanceof PeError) return { kind: 'sbatLevel', text };
    throw error;
  }
}
