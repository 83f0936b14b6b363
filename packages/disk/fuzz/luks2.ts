// SPDX-License-Identifier: Apache-2.0
import { ascii, utf8 } from '@vouchsafe/base';
import { memorySource } from '@vouchsafe/bytes';
import { digest } from '@vouchsafe/crypto';
import { changeToken, DiskError, freeTokenNumber, LUKS2_HEADER_SIZES, type Luks2, readLuks2 } from '@vouchsafe/disk';
import type { FuzzTarget } from '@vouchsafe/testing';

const SIZE = LUKS2_HEADER_SIZES[0] as number;
const CHECKSUM = 448;
const METADATA = {
  keyslots: {},
  tokens: { '0': { type: 'systemd-tpm2', keyslots: [], 'tpm2-pcrs': [7] } },
  segments: {},
  digests: {},
  config: { json_size: String(SIZE - 4096), keyslots_size: '0' },
};
const SALTS = [new Uint8Array(64).fill(1), new Uint8Array(64).fill(2)] as const;

/** One copy of a header. LUKS2 On-Disk Format Specification 1.1, section 2.1. */
function copy(magic: string, offset: number): Uint8Array {
  const bytes = new Uint8Array(SIZE);
  const view = new DataView(bytes.buffer);
  bytes.set(ascii(magic), 0);
  bytes.set([0xba, 0xbe, 0, 2], 4);
  view.setBigUint64(8, BigInt(SIZE));
  view.setBigUint64(16, 3n);
  bytes.set(ascii('sha256'), 72);
  bytes.set(ascii('48c56959-5579-5709-85af-f5393936a4d8'), 168);
  view.setBigUint64(256, BigInt(offset));
  bytes.set(utf8(JSON.stringify(METADATA)), 4096);
  return bytes;
}

/** As a stranger would who changes something: with checksums that are right. */
function withChecksums(bytes: Uint8Array): Uint8Array {
  const fixed = Uint8Array.from(bytes);
  for (const start of [0, SIZE]) {
    if (fixed.length < start + SIZE) break;
    fixed.fill(0, start + CHECKSUM, start + CHECKSUM + 64);
    fixed.set(digest('sha256', fixed.subarray(start, start + SIZE)), start + CHECKSUM);
  }
  return fixed;
}

/** Bytes as a LUKS2 header, as they are and with checksums that are right: read, or a DiskError. What is read takes a token. */
export const target: FuzzTarget = {
  name: 'disk-luks2',
  seeds: () => [Uint8Array.of(...copy('LUKS', 0), ...copy('SKUL', SIZE))],
  run(bytes) {
    for (const input of [bytes, withChecksums(bytes)]) {
      const luks = read(input);
      if (luks === undefined) continue;
      try {
        const number = freeTokenNumber(luks.metadata);
        const writes = changeToken(luks, number, { type: 'other', keyslots: [] }, [...SALTS]);
        // Of a file that was cut the second copy is behind the end, which a write moves.
        const after = new Uint8Array(
          Math.max(input.length, ...writes.map((write) => write.offset + write.bytes.length)),
        );
        after.set(input);
        for (const write of writes) after.set(write.bytes, write.offset);
        if (read(after)?.metadata.tokens[String(number)]?.type !== 'other') throw new Error('the token is not there');
      } catch (error) {
        // No room is an answer.
        if (!(error instanceof DiskError)) throw error;
      }
    }
  },
};

function read(bytes: Uint8Array): Luks2 | undefined {
  try {
    return readLuks2(memorySource(bytes));
  } catch (error) {
    if (error instanceof DiskError) return undefined;
    throw error;
  }
}
