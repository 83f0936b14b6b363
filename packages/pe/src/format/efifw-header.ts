// SPDX-License-Identifier: Apache-2.0
import { constant, struct, u32le } from '@vouchsafe/codec';

/** Before the firmware in .efifw, 16 octets; its ID with a NUL follows. systemd 258, src/boot/efifirmware.h (EfiFwHeader). */
export const efiFirmwareHeader = struct('EfiFwHeader', {
  magic: constant(u32le, 0xfeed_dead),
  headerLength: [u32le, 'octets of this header'],
  fwidLength: [u32le, 'octets of the ID with its NUL'],
  payloadLength: [u32le, 'octets of the firmware'],
});

export const EFI_FIRMWARE_HEADER_BYTES = 16;
