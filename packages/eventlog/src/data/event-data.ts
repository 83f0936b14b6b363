// SPDX-License-Identifier: Apache-2.0
import { type Codec, CodecError, decode } from '@vouchsafe/codec';
import type { TcgEvent } from '../tcg/log.ts';
import { type SeparatorMeaning, separatorMeaning } from '../tcg/separator.ts';
import { startupLocalityOf } from '../tcg/startup.ts';
import { type TcgEfiSpecIdEvent, tcgEfiSpecIdEvent } from '../tcg/structures.ts';
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
import { type EventText, textOf } from './text.ts';

/** What an event's data says. As trustworthy as the data: see `coverageOf`. */
export type EventData =
  | { readonly kind: 'specId'; readonly specId: TcgEfiSpecIdEvent }
  | { readonly kind: 'startupLocality'; readonly locality: number }
  /** Any other EV_NO_ACTION: the 16 characters it starts with, and what follows. */
  | { readonly kind: 'noAction'; readonly signature: string; readonly content: Uint8Array }
  | { readonly kind: 'separator'; readonly meaning: SeparatorMeaning }
  | { readonly kind: 'variable'; readonly variable: UefiVariableData }
  | { readonly kind: 'imageLoad'; readonly image: UefiImageLoadEvent }
  | { readonly kind: 'gpt'; readonly gpt: UefiGptData }
  | {
      readonly kind: 'firmwareBlob';
      readonly blobBase: bigint;
      readonly blobLength: bigint;
      readonly description?: string;
    }
  | { readonly kind: 'text'; readonly text: EventText }
  /** `text` where the content is one, as systemd's and the kernel's are. */
  | { readonly kind: 'tagged'; readonly tag: number; readonly content: Uint8Array; readonly text?: EventText }
  /** Nothing is known of it, or it is not what its type says. */
  | { readonly kind: 'raw'; readonly reason: string; readonly error?: CodecError };

/**
 * Decodes the data of a firmware event by its type. It never throws: a log lets anybody write anything, and one odd event
 * must not hide the others. Done when asked for, as a replay needs none of it.
 */
export function decodeEventData(event: TcgEvent): EventData {
  switch (event.type) {
    case 'EV_NO_ACTION':
      return noAction(event);
    case 'EV_SEPARATOR':
      return { kind: 'separator', meaning: separatorMeaning(event) };
    case 'EV_EFI_VARIABLE_DRIVER_CONFIG':
    case 'EV_EFI_VARIABLE_BOOT':
    case 'EV_EFI_VARIABLE_BOOT2':
    case 'EV_EFI_VARIABLE_AUTHORITY':
      return attempt(event, uefiVariableData, (variable) => ({ kind: 'variable', variable }));
    case 'EV_EFI_BOOT_SERVICES_APPLICATION':
    case 'EV_EFI_BOOT_SERVICES_DRIVER':
    case 'EV_EFI_RUNTIME_SERVICES_DRIVER':
      return attempt(event, uefiImageLoadEvent, (image) => ({ kind: 'imageLoad', image }));
    case 'EV_EFI_GPT_EVENT':
    case 'EV_EFI_GPT_EVENT2':
      return attempt(event, uefiGptData, (gpt) => ({ kind: 'gpt', gpt }));
    case 'EV_EFI_PLATFORM_FIRMWARE_BLOB':
      return attempt(event, uefiPlatformFirmwareBlob, (blob) => ({ kind: 'firmwareBlob', ...blob }));
    case 'EV_EFI_PLATFORM_FIRMWARE_BLOB2':
      return attempt(event, uefiPlatformFirmwareBlob2, ({ blobBase, blobLength, blobDescription }) => {
        const description = textOf(blobDescription)?.text;
        const blob = { kind: 'firmwareBlob', blobBase, blobLength } as const;
        return description === undefined ? blob : { ...blob, description };
      });
    case 'EV_EVENT_TAG':
      return attempt(event, tcgPcClientTaggedEvent, ({ taggedEventId, taggedEventData }) => {
        const text = textOf(taggedEventData);
        const tagged = { kind: 'tagged', tag: taggedEventId, content: taggedEventData } as const;
        return text === undefined ? tagged : { ...tagged, text };
      });
    case 'EV_POST_CODE':
    case 'EV_S_CRTM_CONTENTS':
    case 'EV_S_CRTM_VERSION':
      return blobOrText(event);
    case 'EV_IPL':
    case 'EV_ACTION':
    case 'EV_EFI_ACTION':
    case 'EV_COMPACT_HASH':
    case 'EV_PLATFORM_CONFIG_FLAGS':
    case 'EV_CPU_MICROCODE':
    case 'EV_OMIT_BOOT_DEVICE_EVENTS':
    case 'EV_EFI_HCRTM_EVENT':
      return text(event);
    default:
      return { kind: 'raw', reason: `nothing is known of the data of ${event.type}` };
  }
}

function attempt<T>(event: TcgEvent, codec: Codec<T>, make: (value: T) => EventData): EventData {
  try {
    return make(decode(codec, event.data));
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return { kind: 'raw', reason: error.message, error };
  }
}

function text(event: TcgEvent): EventData {
  const found = textOf(event.data);
  return found === undefined
    ? { kind: 'raw', reason: 'expected text, found other bytes' }
    : { kind: 'text', text: found };
}

/** Profile 1.06, section 10.4.1: the place of the code in memory, or a text such as 'ACPI DATA'. */
function blobOrText(event: TcgEvent): EventData {
  const found = text(event);
  if (found.kind === 'text' || event.data.length !== uefiPlatformFirmwareBlob.size) return found;
  return attempt(event, uefiPlatformFirmwareBlob, (blob) => ({ kind: 'firmwareBlob', ...blob }));
}

/** Octets of the signature that every structured EV_NO_ACTION starts with. Profile 1.06, section 10.4.5. */
const SIGNATURE_BYTES = 16;

function noAction(event: TcgEvent): EventData {
  const locality = startupLocalityOf(event);
  if (locality !== undefined) return { kind: 'startupLocality', locality };
  const { data } = event;
  const signature = textOf(trimNuls(data.subarray(0, SIGNATURE_BYTES)));
  if (data.length < SIGNATURE_BYTES || signature?.encoding !== 'utf-8') {
    return { kind: 'raw', reason: 'expected a signature of 16 characters, found other bytes' };
  }
  if (signature.text === 'Spec ID Event03')
    return attempt(event, tcgEfiSpecIdEvent, (specId) => ({ kind: 'specId', specId }));
  return { kind: 'noAction', signature: signature.text, content: data.subarray(SIGNATURE_BYTES) };
}

function trimNuls(bytes: Uint8Array): Uint8Array {
  const end = bytes.findLastIndex((octet) => octet !== 0) + 1;
  return bytes.subarray(0, end);
}
