// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { rest, struct, u64le } from '@vouchsafe/codec';
import { uefiPlatformFirmwareBlob, uefiPlatformFirmwareBlob2 } from '../data/structures.ts';
import type { TcgEvent } from '../tcg/log.ts';
import { cText } from './escape.ts';
import { gptYaml } from './gpt-yaml.ts';
import { hexYaml, orHex, quotedLines, type YamlVersion } from './parts.ts';
import { variableYaml } from './variable-yaml.ts';

/** The data of an event, from EventSize on. */
export function dataYaml(event: TcgEvent, version: YamlVersion): string {
  const size = `  EventSize: ${event.data.length}\n`;
  return event.data.length === 0 ? size : size + contentYaml(event, version);
}

function contentYaml(event: TcgEvent, version: YamlVersion): string {
  const { data } = event;
  switch (event.type) {
    case 'EV_EFI_VARIABLE_DRIVER_CONFIG':
    case 'EV_EFI_VARIABLE_BOOT':
    case 'EV_EFI_VARIABLE_BOOT2':
    case 'EV_EFI_VARIABLE_AUTHORITY':
      return variableYaml(event, version);
    case 'EV_POST_CODE':
      return data.length === 16 ? blobYaml(data) : literalYaml(data);
    case 'EV_S_CRTM_CONTENTS':
    case 'EV_EFI_PLATFORM_FIRMWARE_BLOB':
      return blobYaml(data);
    case 'EV_EFI_PLATFORM_FIRMWARE_BLOB2':
      return blob2Yaml(data);
    case 'EV_EFI_ACTION':
    case 'EV_EFI_HCRTM_EVENT':
      return literalYaml(data);
    case 'EV_IPL':
      return `  Event:\n    String: |-\n${quotedLines(data, '      ')}`;
    case 'EV_EFI_BOOT_SERVICES_APPLICATION':
    case 'EV_EFI_BOOT_SERVICES_DRIVER':
    case 'EV_EFI_RUNTIME_SERVICES_DRIVER':
      return imageYaml(data);
    case 'EV_EFI_GPT_EVENT':
      return version === 2 ? gptYaml(data) : hexYaml(data);
    case 'EV_NO_ACTION':
      return noActionYaml(data, version);
    default:
      return hexYaml(data);
  }
}

function literalYaml(data: Uint8Array): string {
  return `  Event: |-\n    ${cText(data)}\n`;
}

function blobYaml(data: Uint8Array): string {
  return orHex(
    uefiPlatformFirmwareBlob,
    data,
    ({ blobBase, blobLength }) =>
      `  Event:\n    BlobBase: 0x${blobBase.toString(16)}\n    BlobLength: 0x${blobLength.toString(16)}\n`,
  );
}

function blob2Yaml(data: Uint8Array): string {
  return orHex(uefiPlatformFirmwareBlob2, data, ({ blobDescription, blobBase, blobLength }) =>
    [
      '  Event:',
      `    BlobDescriptionSize: ${blobDescription.length}`,
      `    BlobDescription: "${toHex(blobDescription)}"`,
      `    BlobBase: 0x${blobBase.toString(16)}`,
      `    BlobLength: 0x${blobLength.toString(16)}`,
      '',
    ].join('\n'),
  );
}

/** UEFI_IMAGE_LOAD_EVENT without its length being believed: tpm2_eventlog shows all that is left as the path. */
const imageHead = struct('UEFI_IMAGE_LOAD_EVENT', {
  location: u64le,
  length: u64le,
  linkTimeAddress: u64le,
  lengthOfDevicePath: u64le,
  devicePath: rest,
});

function imageYaml(data: Uint8Array): string {
  return orHex(imageHead, data, ({ location, length, linkTimeAddress, lengthOfDevicePath, devicePath }) =>
    [
      '  Event:',
      `    ImageLocationInMemory: 0x${location.toString(16)}`,
      `    ImageLengthInMemory: ${length}`,
      `    ImageLinkTimeAddress: 0x${linkTimeAddress.toString(16)}`,
      `    LengthOfDevicePath: ${lengthOfDevicePath}`,
      `    DevicePath: '${toHex(devicePath)}'`,
      '',
    ].join('\n'),
  );
}

const STARTUP_LOCALITY = 'StartupLocality\0';

function noActionYaml(data: Uint8Array, version: YamlVersion): string {
  const isLocality = [...STARTUP_LOCALITY].every((character, i) => data[i] === character.charCodeAt(0));
  if (version === 2 && isLocality && data.length > STARTUP_LOCALITY.length) {
    return `  Event:\n    StartupLocality: ${data[STARTUP_LOCALITY.length]}\n`;
  }
  return hexYaml(data);
}
