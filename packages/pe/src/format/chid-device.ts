// SPDX-License-Identifier: Apache-2.0
import { guid, struct, u32le } from '@vouchsafe/codec';

/**
 * One entry of .hwids, 28 octets; all octets zero after the last. systemd 257, src/boot/chid.h (Device). Offsets are from
 * the start of the section, to text in UTF-8 with a NUL at its end.
 */
export const chidDevice = struct('Device', {
  descriptor: [u32le, 'octets of this entry, and its kind in the four highest bits'],
  chid: [guid, 'computer hardware ID'],
  nameOffset: u32le,
  targetOffset: [u32le, "the device tree's compatible, or the firmware's ID"],
});

export const CHID_DEVICE_BYTES = 28;

/** What hardware is matched with: .dtbauto, or .efifw (systemd 258). The value of the four highest bits of `descriptor`. */
export const CHID_KINDS = { devicetree: 1, 'uefi-fw': 2 } as const;
