// SPDX-License-Identifier: Apache-2.0
import { ascii } from '@vouchsafe/base';
import { bytes, guid, type Infer, listOf, openEnumOf, rest, sized, struct, u8, u32le, u64le } from '@vouchsafe/codec';

/** Tables that one event lists at most. */
const MAX_TABLES = 256;

/** UEFI_CONFIGURATION_TABLE: EFI_CONFIGURATION_TABLE with an address of 64 bits. UEFI 2.10, section 4.6. */
const efiConfigurationTable = struct('EFI_CONFIGURATION_TABLE', {
  vendorGuid: guid,
  vendorTable: [u64le, 'address'],
});

/** UEFI_HANDOFF_TABLE_POINTERS, of EV_EFI_HANDOFF_TABLES. PC Client Platform Firmware Profile 1.06, section 10.2. */
export const uefiHandoffTablePointers = struct('UEFI_HANDOFF_TABLE_POINTERS', {
  numberOfTables: u64le,
  tableEntry: listOf('numberOfTables', efiConfigurationTable, MAX_TABLES),
});

/** UEFI_HANDOFF_TABLE_POINTERS2, of EV_EFI_HANDOFF_TABLES2. PC Client Platform Firmware Profile 1.06, section 10.2. */
export const uefiHandoffTablePointers2 = struct('UEFI_HANDOFF_TABLE_POINTERS2', {
  tableDescription: [sized(u8, rest, 255), 'text'],
  numberOfTables: u64le,
  tableEntry: listOf('numberOfTables', efiConfigurationTable, MAX_TABLES),
});
export type UefiHandoffTablePointers = Infer<typeof uefiHandoffTablePointers>;

/**
 * How DEVICE_SECURITY_EVENT_DATA and its version 2 begin, the data of the EV_EFI_SPDM events; what follows differs by device.
 * PC Client Platform Firmware Profile 1.06, section 10.2.
 */
export const SPDM_SIGNATURES: readonly Uint8Array[] = [ascii('SPDM Device Sec\0'), ascii('SPDM Device Sec2')];

const shortText = sized(u8, rest, 255);
/** Octets of a locator: a URI, a device path, or the manifest itself. */
const MAX_LOCATOR_BYTES = 1024 * 1024;
const locator = sized(u32le, rest, MAX_LOCATOR_BYTES);

/** TCG_Sp800_155_PlatformId_Event, behind its signature. PC Client Platform Firmware Profile 1.06, section 10.4.5. */
export const tcgSp800155PlatformIdEvent = struct('TCG_Sp800_155_PlatformId_Event', {
  vendorId: [u32le, "IANA's number of the maker of the reference manifest"],
  referenceManifestGuid: guid,
});

const platformIdFields = {
  vendorId: [u32le, "IANA's number of the maker of the reference manifest"],
  referenceManifestGuid: guid,
  platformManufacturer: [shortText, 'text'],
  platformModel: [shortText, 'text'],
  platformVersion: [shortText, 'text'],
  firmwareManufacturer: [shortText, 'text'],
  firmwareManufacturerId: u32le,
  firmwareVersion: [shortText, 'text'],
} as const;

/** TCG_Sp800_155_PlatformId_Event2, behind its signature. PC Client Platform Firmware Profile 1.06, section 10.4.5. */
export const tcgSp800155PlatformIdEvent2 = struct('TCG_Sp800_155_PlatformId_Event2', platformIdFields);

/** TCG_Sp800_155_PlatformId_Event3, behind its signature. PC Client Platform Firmware Profile 1.06, section 10.4.5. */
export const tcgSp800155PlatformIdEvent3 = struct('TCG_Sp800_155_PlatformId_Event3', {
  ...platformIdFields,
  rimLocatorType: [u32le, '0 raw, 1 URI, 2 device path, 3 UEFI variable'],
  rimLocator: locator,
  platformCertLocatorType: [u32le, 'likewise'],
  platformCertLocator: locator,
});

/** The algorithm and version of Spec ID Event00 and 02 headers. */
const platformClass = openEnumOf(u32le, { client: 0, server: 1 });

/** TCG_PCClientSpecIdEventStruct, 'Spec ID Event00', and TCG_EfiSpecIdEventStruct, 'Spec ID Event02': SHA-1 logs. */
export const tcgSpecIdEventSha1 = struct('TCG_EfiSpecIdEventStruct', {
  signature: [bytes(16), "'Spec ID Event00' of BIOSes, 'Spec ID Event02' of UEFI"],
  platformClass,
  specVersionMinor: u8,
  specVersionMajor: u8,
  specErrata: u8,
  uintnSize: [u8, '1 for 32-bit, 2 for 64-bit; reserved in Event00'],
  vendorInfo: sized(u8, rest, 255),
});
