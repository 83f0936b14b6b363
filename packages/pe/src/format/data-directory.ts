// SPDX-License-Identifier: Apache-2.0
import { type Infer, struct, u32le } from '@vouchsafe/codec';

/** IMAGE_DATA_DIRECTORY, 8 octets. PE Format, "Optional Header Data Directories (Image Only)". */
export const imageDataDirectory = struct('IMAGE_DATA_DIRECTORY', {
  virtualAddress: [u32le, 'relative virtual address; of the certificate table, a file offset'],
  size: u32le,
});
export type ImageDataDirectory = Infer<typeof imageDataDirectory>;
export const DATA_DIRECTORY_BYTES = 8;

/** PE Format has 16; EDK II refuses more (BasePeCoff.c, PeCoffLoaderGetPeHeader). */
export const MAX_DATA_DIRECTORIES = 16;

/** Index of the certificate table, and of the debug directory. */
export const CERTIFICATE_TABLE = 4;
export const DEBUG_DIRECTORY = 6;
