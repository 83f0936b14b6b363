// SPDX-License-Identifier: Apache-2.0

import { vendorName } from '@vouchsafe/tpm';

/** Who made a TPM, as its certificate says. */
export interface Manufacturer {
  /** Four octets as in TPM_PT_MANUFACTURER, big-endian. */
  readonly id: number;
  /** Its characters without padding, such as 'STM'; hexadecimal where they are none. */
  readonly vendorId: string;
  /** From the TCG's registry of vendors; undefined for one that is not in it. */
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
  return { id, vendorId, name: vendorName(vendorId.toUpperCase()) };
}
