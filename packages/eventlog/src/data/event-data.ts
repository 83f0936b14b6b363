// SPDX-License-Identifier: Apache-2.0
import { type Codec, CodecError, decode } from '@vouchsafe/codec';
import type { CelManagement } from '../cel/management.ts';
import { decodeDevicePath } from '../device-path/nodes.ts';
import { nodesFile, nodesText } from '../device-path/text.ts';
import type { LogEvent } from '../event.ts';
import { type ImaEntry, imaEntryOf } from '../ima/entry.ts';
import { type SeparatorMeaning, separatorMeaning } from '../tcg/separator.ts';
import type { UserspaceContent } from '../userspace/content.ts';
import { decodeWbcl, isSipaTag, type SipaEvent } from '../windows/wbcl.ts';
import { iplMeaning, type TextMeaning } from './ipl.ts';
import { decodeNoAction, type NoActionData } from './no-action.ts';
import {
  tcgPcClientTaggedEvent,
  type UefiGptData,
  type UefiImageLoadEvent,
  type UefiVariableData,
  uefiGptData,
  uefiImageLoadEvent,
  uefiPlatformFirmwareBlob,
  uefiPlatformFirmwareBlob2,
  uefiVariableData,
} from './structures.ts';
import {
  SPDM_SIGNATURES,
  type UefiHandoffTablePointers,
  uefiHandoffTablePointers,
  uefiHandoffTablePointers2,
} from './tables.ts';
import { type TagMeaning, tagMeaning } from './tags.ts';
import { type EventText, textOf } from './text.ts';
import { decodeVariableValue, type VariableValue } from './variable-value.ts';

/** What an event's data says. As trustworthy as the data: see `trustOf`. */
export type EventData =
  | NoActionData
  | { readonly kind: 'separator'; readonly meaning: SeparatorMeaning }
  | { readonly kind: 'variable'; readonly variable: UefiVariableData; readonly value: VariableValue }
  /** `path` as UEFI writes it, `file` what it ends in; both absent where the path is malformed. */
  | {
      readonly kind: 'imageLoad';
      readonly image: UefiImageLoadEvent;
      readonly path?: string;
      readonly file?: string;
    }
  | { readonly kind: 'gpt'; readonly gpt: UefiGptData }
  | {
      readonly kind: 'firmwareBlob';
      readonly blobBase: bigint;
      readonly blobLength: bigint;
      readonly description?: string;
    }
  | {
      readonly kind: 'handoffTables';
      readonly tables: UefiHandoffTablePointers['tableEntry'];
      readonly description?: string;
    }
  /** `meaning` where it is known who writes such texts. */
  | { readonly kind: 'text'; readonly text: EventText; readonly meaning?: TextMeaning }
  /** `text` where the content is one, as systemd's and the kernel's are. */
  | {
      readonly kind: 'tagged';
      readonly tag: number;
      readonly content: Uint8Array;
      readonly text?: EventText;
      readonly meaning?: TagMeaning;
    }
  /** Windows' own events, in an EV_EVENT_TAG. */
  | { readonly kind: 'windows'; readonly events: readonly SipaEvent[] }
  /** A device measured by SPDM; 1 and 2 are the versions of the structure. */
  | { readonly kind: 'spdm'; readonly version: 1 | 2; readonly content: Uint8Array }
  | { readonly kind: 'ima'; readonly entry: ImaEntry }
  | { readonly kind: 'userspace'; readonly content: UserspaceContent }
  | { readonly kind: 'celManagement'; readonly management: CelManagement }
  /** Nothing is known of it, or it is not what its type says. */
  | { readonly kind: 'raw'; readonly reason: string; readonly error?: CodecError };

/**
 * Decodes the data of an event by its type. It never throws: a log lets anybody write anything, and one odd event must
 * not hide the others. Done when asked for, as a replay needs none of it.
 */
export function decodeEventData(event: LogEvent): EventData {
  switch (event.source) {
    case 'ima':
      return { kind: 'ima', entry: imaEntryOf(String(event.type), event.data) };
    case 'userspace':
      return event.content === undefined
        ? { kind: 'raw', reason: 'the record has no content' }
        : { kind: 'userspace', content: event.content };
    case 'cel':
      return event.management === undefined
        ? { kind: 'raw', reason: `nothing is known of content of type ${event.type}` }
        : { kind: 'celManagement', management: event.management };
    case 'drtm':
      return text(event);
    default:
      return firmwareData(event);
  }
}

function firmwareData(event: LogEvent): EventData {
  switch (event.type) {
    case 'EV_NO_ACTION':
      return attemptOf(() => decodeNoAction(event.data));
    case 'EV_SEPARATOR':
      return { kind: 'separator', meaning: separatorMeaning(event) };
    case 'EV_EFI_VARIABLE_DRIVER_CONFIG':
    case 'EV_EFI_VARIABLE_BOOT':
    case 'EV_EFI_VARIABLE_BOOT2':
    case 'EV_EFI_VARIABLE_AUTHORITY':
    case 'EV_EFI_SPDM_DEVICE_POLICY':
    case 'EV_EFI_SPDM_DEVICE_AUTHORITY':
      return attempt(event, uefiVariableData, (variable) => variableData(event, variable));
    case 'EV_EFI_BOOT_SERVICES_APPLICATION':
    case 'EV_EFI_BOOT_SERVICES_DRIVER':
    case 'EV_EFI_RUNTIME_SERVICES_DRIVER':
      return attempt(event, uefiImageLoadEvent, imageLoad);
    case 'EV_EFI_GPT_EVENT':
    case 'EV_EFI_GPT_EVENT2':
      return attempt(event, uefiGptData, (gpt) => ({ kind: 'gpt', gpt }));
    case 'EV_EFI_PLATFORM_FIRMWARE_BLOB':
      return attempt(event, uefiPlatformFirmwareBlob, (blob) => ({ kind: 'firmwareBlob', ...blob }));
    case 'EV_EFI_PLATFORM_FIRMWARE_BLOB2':
      return blob2(event);
    case 'EV_EFI_HANDOFF_TABLES':
      return attempt(event, uefiHandoffTablePointers, ({ tableEntry }) => ({
        kind: 'handoffTables',
        tables: tableEntry,
      }));
    case 'EV_EFI_HANDOFF_TABLES2':
      return attempt(event, uefiHandoffTablePointers2, ({ tableEntry, tableDescription }) => ({
        kind: 'handoffTables',
        tables: tableEntry,
        ...described(tableDescription),
      }));
    case 'EV_EVENT_TAG':
      return tagged(event);
    case 'EV_EFI_SPDM_FIRMWARE_BLOB':
    case 'EV_EFI_SPDM_FIRMWARE_CONFIG':
      return spdm(event);
    case 'EV_POST_CODE2':
      return blobOrText(event, () => blob2(event));
    case 'EV_POST_CODE':
    case 'EV_S_CRTM_CONTENTS':
    case 'EV_S_CRTM_VERSION':
      return blobOrText(event, () =>
        attempt(event, uefiPlatformFirmwareBlob, (blob) => ({ kind: 'firmwareBlob', ...blob })),
      );
    case 'EV_IPL':
    case 'EV_ACTION':
    case 'EV_EFI_ACTION':
    case 'EV_COMPACT_HASH':
    case 'EV_PLATFORM_CONFIG_FLAGS':
    case 'EV_CPU_MICROCODE':
    case 'EV_TABLE_OF_DEVICES':
    case 'EV_OMIT_BOOT_DEVICE_EVENTS':
    case 'EV_EFI_HCRTM_EVENT':
      return text(event);
    default:
      return { kind: 'raw', reason: `nothing is known of the data of ${event.type}` };
  }
}

function attemptOf(make: () => EventData): EventData {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return { kind: 'raw', reason: error.message, error };
  }
}

function attempt<T>(event: LogEvent, codec: Codec<T>, make: (value: T) => EventData): EventData {
  return attemptOf(() => make(decode(codec, event.data)));
}

function variableData(event: LogEvent, variable: UefiVariableData): EventData {
  const { variableName, unicodeName, variableData: value } = variable;
  const isAuthority = event.type === 'EV_EFI_VARIABLE_AUTHORITY';
  return { kind: 'variable', variable, value: decodeVariableValue(variableName, unicodeName, value, isAuthority) };
}

/** A path that cannot be read leaves the rest as it is: it is not measured anyway. */
function imageLoad(image: UefiImageLoadEvent): EventData {
  try {
    const nodes = decodeDevicePath(image.devicePath);
    const file = nodesFile(nodes);
    const path = nodesText(nodes);
    return { kind: 'imageLoad', image, path, ...(file === undefined ? {} : { file }) };
  } catch (error) {
    if (error instanceof CodecError) return { kind: 'imageLoad', image };
    throw error;
  }
}

function blob2(event: LogEvent): EventData {
  return attempt(event, uefiPlatformFirmwareBlob2, ({ blobBase, blobLength, blobDescription }) => ({
    kind: 'firmwareBlob',
    blobBase,
    blobLength,
    ...described(blobDescription),
  }));
}

function described(bytes: Uint8Array): { readonly description?: string } {
  const description = textOf(bytes)?.text;
  return description === undefined ? {} : { description };
}

function tagged(event: LogEvent): EventData {
  return attempt(event, tcgPcClientTaggedEvent, ({ taggedEventId: tag, taggedEventData: content }) => {
    if (isSipaTag(tag)) return { kind: 'windows', events: decodeWbcl(event.data) };
    const found = textOf(content);
    const meaning = tagMeaning(tag, found?.text);
    return {
      kind: 'tagged',
      tag,
      content,
      ...(found === undefined ? {} : { text: found }),
      ...(meaning === undefined ? {} : { meaning }),
    };
  });
}

function spdm({ data }: LogEvent): EventData {
  const version = SPDM_SIGNATURES.findIndex((signature) => signature.every((octet, i) => data[i] === octet)) + 1;
  return version === 1 || version === 2
    ? { kind: 'spdm', version, content: data.subarray(16) }
    : { kind: 'raw', reason: "expected 'SPDM Device Sec' or 'SPDM Device Sec2'" };
}

function text(event: LogEvent): EventData {
  const found = textOf(event.data);
  if (found === undefined) return { kind: 'raw', reason: 'expected text, found other bytes' };
  const meaning = event.type === 'EV_IPL' ? iplMeaning(event.pcr, found) : undefined;
  return { kind: 'text', text: found, ...(meaning === undefined ? {} : { meaning }) };
}

/** Profile 1.06, section 10.4.1: the place of the code in memory, or a text such as 'ACPI DATA'. */
function blobOrText(event: LogEvent, blob: () => EventData): EventData {
  const found = text(event);
  if (found.kind === 'text') return found;
  const decoded = blob();
  return decoded.kind === 'raw' ? found : decoded;
}
