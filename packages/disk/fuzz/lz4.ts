// SPDX-License-Identifier: Apache-2.0
import { memorySource } from '@vouchsafe/bytes';
import { lz4Content } from '@vouchsafe/disk';
import type { FuzzTarget } from '@vouchsafe/testing';

/** A frame without checksums but that of its descriptor, and two blocks that refer to each other; a legacy frame. */
const FRAME = Uint8Array.of(
  ...[0x04, 0x22, 0x4d, 0x18, 0x40, 0x40, 0xc0],
  ...[6, 0, 0, 0, 0x10, 0x61, 1, 0, 0x10, 0x62],
  ...[6, 0, 0, 0, 0x10, 0x63, 3, 0, 0x10, 0x64],
  ...[0, 0, 0, 0],
);
const LEGACY = Uint8Array.of(0x02, 0x21, 0x4c, 0x18, 6, 0, 0, 0, 0x10, 0x61, 1, 0, 0x10, 0x62);

/** Bytes as LZ4 frames: no block is larger than the format lets it be. */
export const target: FuzzTarget = {
  name: 'disk-lz4',
  seeds: () => [FRAME, LEGACY],
  run(bytes) {
    for (const piece of lz4Content(memorySource(bytes))) {
      if (piece.length > 8 * 1024 * 1024) throw new Error(`a piece of ${piece.length} octets`);
    }
  },
};
