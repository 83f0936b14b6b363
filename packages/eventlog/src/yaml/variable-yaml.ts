// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { CodecError, decode, guid, rest, struct, u16le, u32le, u64le, utf16le } from '@vouchsafe/codec';
import type { TcgEvent } from '../tcg/log.ts';
import { orHex, quotedLines, type YamlVersion } from './parts.ts';

/** UEFI_VARIABLE_DATA whose lengths are not believed yet: what follows may be shorter. */
const variableHead = struct('UEFI_VARIABLE_DATA', {
  variableName: guid,
  unicodeNameLength: u64le,
  variableDataLength: u64le,
  rest,
});

/** A variable; with version 2 the value of those that tpm2_eventlog knows taken apart. */
export function variableYaml(event: TcgEvent, version: YamlVersion): string {
  return orHex(variableHead, event.data, ({ variableName, unicodeNameLength, variableDataLength, rest: tail }) => {
    const nameBytes = 2 * Number(unicodeNameLength);
    const head = [
      '  Event:',
      `    VariableName: ${variableName}`,
      `    UnicodeNameLength: ${unicodeNameLength}`,
      `    VariableDataLength: ${variableDataLength}`,
      '',
    ].join('\n');
    if (nameBytes > tail.length) return head;
    const name = decode(utf16le(rest), tail.subarray(0, nameBytes)).split('\0')[0] ?? '';
    const value = tail.subarray(nameBytes, Math.min(tail.length, nameBytes + Number(variableDataLength)));
    const shown = version === 2 ? valueYaml(event.type, name, value) : undefined;
    const hex = value.length === 0 ? '' : `    VariableData: "${toHex(value)}"\n`;
    return `${head}    UnicodeName: ${name}\n${shown ?? hex}`;
  });
}

const SIGNATURE_LISTS: ReadonlySet<string> = new Set(['PK', 'KEK', 'db', 'dbx']);

function valueYaml(type: string | number, name: string, value: Uint8Array): string | undefined {
  if (type === 'EV_EFI_VARIABLE_DRIVER_CONFIG') {
    if (SIGNATURE_LISTS.has(name)) return `    VariableData:\n${listsYaml(value)}`;
    return name === 'SecureBoot' ? switchYaml(value) : undefined;
  }
  if (type === 'EV_EFI_VARIABLE_AUTHORITY') {
    if (name === 'MokListTrusted') return switchYaml(value);
    if (name === 'db' || name === 'Shim') return signatureYaml(value);
    if (name === 'SbatLevel') return `    VariableData:\n      String: |-\n${quotedLines(value, '        ')}`;
    return undefined;
  }
  if (name === 'BootOrder' && value.length % 2 === 0) return bootOrderYaml(value);
  return /^Boot[0-9A-Fa-f]{4}$/.test(name) ? loadOptionYaml(value) : undefined;
}

function switchYaml(value: Uint8Array): string | undefined {
  if (value.length > 1) return undefined;
  return `    VariableData:\n      Enabled: '${value[0] === undefined || value[0] === 0 ? 'No' : 'Yes'}'\n`;
}

const OWNER_BYTES = 16;
const LIST_HEADER_BYTES = 28;

function signatureYaml(value: Uint8Array): string | undefined {
  if (value.length <= OWNER_BYTES) return undefined;
  const owner = decode(guid, value.subarray(0, OWNER_BYTES));
  const data = toHex(value.subarray(OWNER_BYTES));
  return `    VariableData:\n    - SignatureOwner: ${owner}\n      SignatureData: ${data}\n`;
}

const listHead = struct('EFI_SIGNATURE_LIST', {
  signatureType: guid,
  signatureListSize: u32le,
  signatureHeaderSize: u32le,
  signatureSize: u32le,
  rest,
});

/** Lists up to the first one that is malformed, as tpm2_eventlog shows them. */
function listsYaml(value: Uint8Array): string {
  let text = '';
  for (let at = 0; at + LIST_HEADER_BYTES <= value.length; ) {
    const { signatureType, signatureListSize, signatureHeaderSize, signatureSize } = decode(
      listHead,
      value.subarray(at),
    );
    if (signatureSize < OWNER_BYTES || signatureListSize < LIST_HEADER_BYTES) break;
    text += `    - SignatureType: ${signatureType}\n      SignatureListSize: ${signatureListSize}\n`;
    text += `      SignatureHeaderSize: ${signatureHeaderSize}\n      SignatureSize: ${signatureSize}\n      Keys:\n`;
    const end = Math.min(value.length, at + signatureListSize);
    for (let key = at + LIST_HEADER_BYTES + signatureHeaderSize; key + signatureSize <= end; key += signatureSize) {
      const owner = decode(guid, value.subarray(key, key + OWNER_BYTES));
      const data = toHex(value.subarray(key + OWNER_BYTES, key + signatureSize));
      text += `      - SignatureOwner: ${owner}\n        SignatureData: ${data}\n`;
    }
    at += signatureListSize;
  }
  return text;
}

function bootOrderYaml(value: Uint8Array): string {
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  const entries = Array.from({ length: value.length / 2 }, (_, i) => view.getUint16(2 * i, true));
  return `    VariableData:\n${entries.map((entry) => `    - Boot${entry.toString(16).padStart(4, '0')}\n`).join('')}`;
}

const optionHead = struct('EFI_LOAD_OPTION', { attributes: u32le, filePathListLength: u16le, rest });

function loadOptionYaml(value: Uint8Array): string | undefined {
  try {
    const { attributes, filePathListLength, rest: tail } = decode(optionHead, value);
    const units = decode(utf16le(rest), tail.subarray(0, tail.length & ~1));
    const nul = units.indexOf('\0');
    if (nul < 0) return undefined;
    return [
      '    VariableData:',
      `      Enabled: '${(attributes & 1) === 0 ? 'No' : 'Yes'}'`,
      `      FilePathListLength: ${filePathListLength}`,
      `      Description: "${units.slice(0, nul)}"`,
      `      DevicePath: '${toHex(tail.subarray(2 * (nul + 1)))}'`,
      '',
    ].join('\n');
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}
