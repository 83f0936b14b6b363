// SPDX-License-Identifier: Apache-2.0
/** TCG TPM Vendor ID Registry: the identifier of TPM_PT_MANUFACTURER, without the blank at its end, and its owner. */
const VENDORS: Readonly<Record<string, string>> = {
  AMD: 'AMD',
  AMZN: 'Amazon',
  ANT: 'Ant Group',
  ATML: 'Atmel',
  BRCM: 'Broadcom',
  CSCO: 'Cisco',
  FLYS: 'Flyslice Technologies',
  GOOG: 'Google',
  HISI: 'Huawei',
  HPE: 'HPE',
  HPI: 'HPI',
  IBM: 'IBM',
  IFX: 'Infineon',
  INTC: 'Intel',
  LEN: 'Lenovo',
  MSFT: 'Microsoft',
  NSG: 'NSING',
  NSM: 'National Semiconductor',
  NTC: 'Nuvoton Technology',
  NTZ: 'Nationz',
  QCOM: 'Qualcomm',
  ROCC: 'Fuzhou Rockchip',
  SEAL: 'Wisekey',
  SECE: 'SecEdge',
  SMSC: 'SMSC',
  SMSN: 'Samsung',
  SNS: 'Sinosun',
  STM: 'STMicroelectronics',
  TXN: 'Texas Instruments',
  WEC: 'Winbond',
};

/** The owner of an identifier; undefined where the registry, as we know it, has none. */
export function vendorName(manufacturer: string): string | undefined {
  return Object.hasOwn(VENDORS, manufacturer) ? VENDORS[manufacturer] : undefined;
}
