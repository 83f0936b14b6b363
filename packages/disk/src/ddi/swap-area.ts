// SPDX-License-Identifier: Apache-2.0
import { ascii, bytesEqual, concatBytes } from '@vouchsafe/base';
import { type ByteSource, readBytes } from '@vouchsafe/bytes';
import { asciiCell, constant, decode, encode, type Infer, struct, u32le, uuid } from '@vouchsafe/codec';
import { DiskError } from '../error.ts';

/** Octets of a page, by which a swap area counts. Other architectures have other pages; 4096 is what images are made for. */
const PAGE_BYTES = 4096;
const HEADER_OFFSET = 1024;
const SIGNATURE = ascii('SWAPSPACE2');

/** What stands at octet 1024 of a swap area. Linux, include/linux/swap.h, union swap_header. */
export const swapHeader = struct('swap_header.info', {
  version: [constant(u32le, 1), 'the one there is'],
  lastPage: [u32le, 'number of the last page, from 0'],
  badPages: [constant(u32le, 0), 'pages that are listed as bad'],
  uuid,
  label: asciiCell(16),
});
const HEADER_BYTES = 44;

export type SwapHeader = Infer<typeof swapHeader>;

/**
 * The first page of a swap area; the rest of it is not written.
 * @throws {DiskError} 'options_invalid' for an area of fewer than 10 pages, which the kernel does not take, or too many.
 */
export function encodeSwapArea(sizeBytes: number, uuidText: string, label = ''): Uint8Array {
  const pages = Math.floor(sizeBytes / PAGE_BYTES);
  if (pages < 10 || pages > 0xffffffff) {
    throw new DiskError('options_invalid', `expected a swap area of 10 pages or more, found ${sizeBytes} octets`);
  }
  const header = encode(swapHeader, { version: 1, lastPage: pages - 1, badPages: 0, uuid: uuidText, label });
  const rest = new Uint8Array(PAGE_BYTES - HEADER_OFFSET - header.length - SIGNATURE.length);
  return concatBytes(new Uint8Array(HEADER_OFFSET), header, rest, SIGNATURE);
}

/** The header of a swap area; undefined when there is none. @throws {CodecError} when it is one and says what cannot be. */
export function readSwapArea(source: ByteSource): SwapHeader | undefined {
  if (source.size < PAGE_BYTES) return undefined;
  const signature = readBytes(source, PAGE_BYTES - SIGNATURE.length, SIGNATURE.length);
  return bytesEqual(signature, SIGNATURE)
    ? decode(swapHeader, readBytes(source, HEADER_OFFSET, HEADER_BYTES))
    : undefined;
}
