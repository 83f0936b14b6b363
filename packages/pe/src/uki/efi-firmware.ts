// SPDX-License-Identifier: Apache-2.0
import { concatBytes, utf8 } from '@vouchsafe/base';
import { type ByteSource, memorySource } from '@vouchsafe/bytes';
import { encode } from '@vouchsafe/codec';
import { PeError } from '../error.ts';
import { EFI_FIRMWARE_HEADER_BYTES, efiFirmwareHeader } from '../format/efifw-header.ts';
import { MAX_HWID_TEXT_CHARACTERS } from '../limits.ts';
import { concatenated } from './initrd.ts';

/**
 * The content of one .efifw: firmware for the machines whose hardware IDs lead to `fwid` (see `encodeHwids`). The header is
 * the one that stubs look for; ukify 258 writes a single zero in the place of its magic number, which no stub takes.
 * @throws {PeError} 'options_invalid' for an ID that is empty or holds a NUL, or firmware of no octets or above 4 GiB; 'limit'.
 */
export function efiFirmwareSection(fwid: string, payload: ByteSource): ByteSource {
  if (fwid === '' || fwid.includes('\0'))
    throw new PeError('options_invalid', 'expected an ID of the firmware, a text');
  if (fwid.length > MAX_HWID_TEXT_CHARACTERS) {
    throw new PeError(
      'limit',
      `expected an ID of at most ${MAX_HWID_TEXT_CHARACTERS} characters, found ${fwid.length}`,
    );
  }
  if (payload.size === 0 || payload.size >= 2 ** 32) {
    throw new PeError(
      'options_invalid',
      `${payload.label}: expected firmware below 4 GiB, found ${payload.size} octets`,
    );
  }
  const id = utf8(`${fwid}\0`);
  const header = encode(efiFirmwareHeader, {
    magic: 0xfeed_dead,
    headerLength: EFI_FIRMWARE_HEADER_BYTES,
    fwidLength: id.length,
    payloadLength: payload.size,
  });
  return concatenated([memorySource(concatBytes(header, id), '.efifw'), payload], payload.label);
}
