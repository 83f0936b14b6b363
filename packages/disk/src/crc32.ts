// SPDX-License-Identifier: Apache-2.0

/** A remainder for each octet, for a reflected polynomial. */
function tableOf(polynomial: number): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, octet) => {
    let remainder = octet;
    for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? (remainder >>> 1) ^ polynomial : remainder >>> 1;
    return remainder;
  });
}

/** ISO/IEC/IEEE 8802-3, 3.2.9: 0x04c11db7, reflected. */
const IEEE = tableOf(0xedb88320);
/** Castagnoli, RFC 3720, appendix B.4: 0x1edc6f41, reflected. */
const CASTAGNOLI = tableOf(0x82f63b78);

function advance(table: Uint32Array, remainder: number, bytes: Uint8Array): number {
  let crc = remainder;
  for (const byte of bytes) crc = (crc >>> 8) ^ (table[(crc ^ byte) & 0xff] as number);
  return crc >>> 0;
}

/** CRC-32 as UEFI uses it (UEFI 2.10, section 5.3.1): seed and final exclusive or are all ones. */
export function crc32(bytes: Uint8Array): number {
  return (advance(IEEE, 0xffffffff, bytes) ^ 0xffffffff) >>> 0;
}

/** CRC-32C from all ones and without the final exclusive or, as the Linux kernel's crc32c() and EROFS use it. */
export function crc32cRaw(bytes: Uint8Array): number {
  return advance(CASTAGNOLI, 0xffffffff, bytes);
}
