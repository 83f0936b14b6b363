// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { drawRandom } from '../random.ts';

/** 127 random bits, above zero: nobody guesses the next one, and no two are the same. RFC 5280, 4.1.2.2. */
export function newSerialNumber(): bigint {
  return BigInt(`0x${toHex(drawRandom(16))}`) >> 1n || 1n;
}

/** As rows of the database and command lines have it: lower-case hexadecimal without leading zeros. */
export const formatSerialNumber = (serial: bigint): string => serial.toString(16);
