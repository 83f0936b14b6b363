// SPDX-License-Identifier: Apache-2.0
/** What files may ask for. Each is far above what a real file has and far below what would hurt. */

/** Sections in one file. systemd 262's stub has header room for 500; Windows stops at 96. */
export const MAX_SECTIONS = 512;
/** Octets of the headers, and so the furthest e_lfanew. Real ones have up to 20 KiB. */
export const MAX_HEADERS_BYTES = 1024 * 1024;
/** Octets of the certificate table; a signature has 2 to 10 KiB. */
export const MAX_CERTIFICATE_TABLE_BYTES = 4 * 1024 * 1024;
/** Entries of the certificate table, as each costs a signature check. */
export const MAX_CERTIFICATES = 32;
/** Octets read at a time while a file is hashed or copied; even, as the checksum adds 16-bit words. */
export const CHUNK_BYTES = 1024 * 1024;
/** Octets of signature lists in one value; Microsoft's dbx has 24 KiB. */
export const MAX_SIGNATURE_LISTS_BYTES = 4 * 1024 * 1024;
/** Signatures in one value. */
export const MAX_SIGNATURES = 65_536;
/** Octets of a variable store's file; OVMF has 528 KiB, the flash of an arm64 machine in QEMU 64 MiB. */
export const MAX_STORE_BYTES = 64 * 1024 * 1024;
/** Octets of a section that is read into memory as text: .sbat, .sdmagic. */
export const MAX_TEXT_SECTION_BYTES = 64 * 1024;
/** Components in one .sbat or one SBAT level; shim's own level has four. */
export const MAX_SBAT_ENTRIES = 1024;
/** Characters of a boot entry or a loader.conf; systemd-boot reads all of either into memory. */
export const MAX_CONFIG_CHARACTERS = 256 * 1024;
/** Lines of a boot entry or a loader.conf. */
export const MAX_CONFIG_LINES = 4096;
/** Signatures in one .pcrsig: banks times phases times keys; systemd-measure writes 4 for each bank. Each costs a check. */
export const MAX_PCR_SIGNATURES = 256;
/** Hardware IDs in one .hwids, each of 28 octets; systemd's own descriptions have some hundred. */
export const MAX_HWIDS = 16_384;
/** Characters of a name or ID in .hwids and .efifw. */
export const MAX_HWID_TEXT_CHARACTERS = 1024;
/** Profiles of one image whose PCR signatures are checked; real images have a handful. */
export const MAX_SIGNED_PROFILES = 16;
