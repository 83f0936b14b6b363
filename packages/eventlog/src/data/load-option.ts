// SPDX-License-Identifier: Apache-2.0
import { decode, Reader, rest, struct, u16le, u32le, utf16le } from '@vouchsafe/codec';
import { devicePathText } from '../device-path/text.ts';

/** A Boot#### variable. */
export interface LoadOption {
  readonly attributes: number;
  /** LOAD_OPTION_ACTIVE: the boot manager tries it by itself. */
  readonly isActive: boolean;
  readonly description: string;
  /** Device paths as text; the first is what is started. */
  readonly path: string;
  readonly optionalData: Uint8Array;
}

const LOAD_OPTION_ACTIVE = 1;
/** EFI_LOAD_OPTION up to its description. UEFI 2.10, section 3.1.3 (Load Options). */
export const efiLoadOption = struct('EFI_LOAD_OPTION', {
  attributes: [u32le, 'bit 0: active'],
  filePathListLength: [u16le, 'octets of the device paths behind the description'],
});

/**
 * Takes a Boot#### variable apart. UEFI 2.10, section 3.1.3.
 * @throws {CodecError}
 */
export function decodeLoadOption(bytes: Uint8Array): LoadOption {
  const r = new Reader(bytes);
  const { attributes, filePathListLength } = efiLoadOption.read(r, { get: () => undefined });
  const start = r.pos;
  while (r.view.getUint16(r.take(2), true) !== 0);
  const description = decode(utf16le(rest), bytes.subarray(start, r.pos - 2));
  const paths = r.takeBytes(filePathListLength);
  return {
    attributes,
    isActive: (attributes & LOAD_OPTION_ACTIVE) !== 0,
    description,
    path: devicePathText(paths),
    optionalData: r.takeBytes(r.end - r.pos),
  };
}
