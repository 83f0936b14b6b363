// SPDX-License-Identifier: Apache-2.0

/** TCG TPM Vendor ID Registry, "TPM Capabilities Vendor ID (CAP_VID)": four characters, padded with spaces or zeros. */
const MAKERS: ReadonlyMap<string, string> = new Map([
  ['AMD', 'AMD'],
  ['AMZN', 'Amazon'],
  ['ANT', 'Ant Group'],
  ['ATML', 'Atmel'],
  ['BRCM', 'Broadcom'],
  ['CSCO', 'Cisco'],
  ['FLYS', 'Flyslice Technologies'],
  ['GOOG', 'Google'],
  ['HISI', 'Huawei'],
  ['HPE', 'HPE'],
  ['HPI', 'HPI'],
  ['IBM', 'IBM'],
  ['IFX', 'Infineon'],
  ['INTC', 'Intel'],
  ['LEN', 'Lenovo'],
  ['MSFT', 'Microsoft'],
  ['NSG', 'NSING'],
  ['NSM', 'National Semiconductor'],
  ['NTC', 'Nuvoton Technology'],
  ['NTZ', 'Nationz'],
  ['QCOM', 'Qualcomm'],
  ['ROCC', 'Fuzhou Rockchip'],
  ['SEAL', 'Wisekey'],
  ['SECE', 'SecEdge'],
  ['SMSC', 'SMSC'],
  ['SMSN', 'Samsung'],
  ['SNS', 'Sinosun'],
  ['STM', 'ST Microelectronics'],
  ['TXN', 'Texas Instruments'],
  ['WEC', 'Winbond'],
]);

/** Who made a TPM, as its certificate says. */
export interface Manufacturer {
  /** Four octets as in TPM_PT_MANUFACTURER, big-endian. */
  readonly id: number;
  /** Its characters without padding, such as 'STM'; hexadecimal where they are none. */
  readonly vendorId: string;
  /** From the registry; undefined for one that is not in it. */
  readonly name: string | undefined;
}

/**
 * The TCG's 'id:' and eight hexadecimal digits (EK Credential Profile, tpmManufacturer attribute); undefined for
 * another text.
 */
export function parseManufacturer(text: string): Manufacturer | undefined {
  const digits = /^id:([0-9A-Fa-f]{8})$/.exec(text)?.[1];
  return digits === undefined ? undefined : manufacturerOf(Number.parseInt(digits, 16));
}

/** @param id as TPM_PT_MANUFACTURER says it, four octets big-endian. */
export function manufacturerOf(id: number): Manufacturer {
  const octets = [24, 16, 8, 0].map((shift) => (id >>> shift) & 0xff);
  const characters = String.fromCharCode(...octets).replace(/[\0 ]+$/, '');
  const vendorId = /^[\x21-\x7e]+$/.test(characters) ? characters : `0x${id.toString(16).padStart(8, '0')}`;
  return { id, vendorId, name: MAKERS.get(vendorId.toUpperCase()) };
}
