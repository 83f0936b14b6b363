// SPDX-License-Identifier: Apache-2.0
// The formats that the tests, the fuzz target and the benchmark use; the product's own are in the packages above.
import { ascii } from '@vouchsafe/base';
import {
  aligned,
  asciiCell,
  attempt,
  bytes,
  type Codec,
  cellOf,
  constant,
  encode,
  enumOf,
  flags,
  guid,
  type Infer,
  list,
  listOf,
  listToEnd,
  openEnumOf,
  openFlags,
  optional,
  rest,
  select,
  sized,
  sizedOf,
  struct,
  u8,
  u16be,
  u16le,
  u32be,
  u32le,
  u64be,
  u64le,
  utf16le,
  utf16leCell,
  utf16leNul,
  uuid,
  withBytes,
  zeros,
} from '@vouchsafe/codec';
import { QUOTE, tpmsAttest } from '../bench/tpms-attest.ts';

export { QUOTE, tpmsAttest } from '../bench/tpms-attest.ts';

/** dm-verity superblock. cryptsetup lib/verity/verity.c, struct verity_sb. */
export const veritySuperblock = struct('verity_sb', {
  signature: constant(bytes(8), ascii('verity\0\0')),
  version: constant(u32le, 1),
  hashType: [enumOf(u32le, { chromeos: 0, normal: 1 }), 'where the salt goes'],
  uuid,
  algorithm: [asciiCell(32), 'kernel crypto API name'],
  dataBlockSize: u32le,
  hashBlockSize: u32le,
  dataBlocks: u64le,
  saltSize: [u16le, 'octets of salt in use'],
  pad1: zeros(6),
  salt: [cellOf('saltSize', 256), 'hashed with every block'],
  pad2: zeros(168),
});

export const SUPERBLOCK: Infer<typeof veritySuperblock> = {
  signature: ascii('verity\0\0'),
  version: 1,
  hashType: 'normal',
  uuid: '2f0a8c1e-5b6d-4e7f-8a9b-0c1d2e3f4a5b',
  algorithm: 'sha256',
  dataBlockSize: 4096,
  hashBlockSize: 4096,
  dataBlocks: 1024n,
  saltSize: 4,
  salt: Uint8Array.of(1, 2, 3, 4),
};

/** GPT header. UEFI 2.10, section 5.3.2. */
export const gptHeader = struct('EFI_PARTITION_TABLE_HEADER', {
  signature: constant(bytes(8), ascii('EFI PART')),
  revision: constant(u32le, 0x0001_0000),
  headerSize: [constant(u32le, 92), 'octets under headerCrc32'],
  headerCrc32: [u32le, 'computed with this field zero'],
  reserved: zeros(4),
  myLba: u64le,
  alternateLba: u64le,
  firstUsableLba: u64le,
  lastUsableLba: u64le,
  diskGuid: guid,
  partitionEntryLba: u64le,
  numberOfPartitionEntries: u32le,
  sizeOfPartitionEntry: u32le,
  partitionEntryArrayCrc32: u32le,
});

export const GPT: Infer<typeof gptHeader> = {
  signature: ascii('EFI PART'),
  revision: 0x0001_0000,
  headerSize: 92,
  headerCrc32: 0x1234_5678,
  myLba: 1n,
  alternateLba: 2047n,
  firstUsableLba: 34n,
  lastUsableLba: 2014n,
  diskGuid: 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b',
  partitionEntryLba: 2n,
  numberOfPartitionEntries: 128,
  sizeOfPartitionEntry: 128,
  partitionEntryArrayCrc32: 0x9abc_def0,
};

const point = struct('point', { x: u8, y: u16be });

/** One of everything that the package declares. */
export const everything = struct('everything', {
  closed: enumOf(u8, { a: 1, b: 2 }),
  open: openEnumOf(u8, { one: 1, two: 2 }),
  bits: flags(u8, { low: 0, high: 7 }),
  word: openFlags(u16le, { first: 0, last: 15 }),
  size: u8,
  count: u64le,
  cell: cellOf('size', 3),
  points: listOf('count', point, 3),
  window: sizedOf('size', rest, 3),
  arm: select('closed', { a: point, b: sized(u8, list(u8, u16le, 2), 8) }),
  other: select('open', { one: u8, two: zeros(1) }, u16be),
  gap: zeros(2),
  padded: aligned(sized(u8, rest, 5), 4),
  name: asciiCell(4),
  wide: utf16leCell(2),
  text: sized(u16be, utf16le(rest), 8),
  ended: sized(u8, utf16leNul(rest), 8),
  signed: withBytes(point),
  records: sized(u8, listToEnd(sized(u8, attempt(point), 4), 3), 12),
  later: optional(u32be),
  last: optional(u64be),
});

export const EVERYTHING: Infer<typeof everything> = {
  closed: 'b',
  open: 7,
  bits: { low: true, high: false },
  word: { first: false, last: true, unnamed: 0x10n },
  size: 2,
  count: 1n,
  cell: Uint8Array.of(9, 8),
  points: [{ x: 1, y: 2 }],
  window: Uint8Array.of(7, 6),
  arm: [1, 2],
  other: 0x0102,
  padded: Uint8Array.of(1, 2),
  name: 'abc',
  wide: 'ä',
  text: 'x\u{1f600}',
  ended: 'yes',
  signed: { value: { x: 1, y: 2 }, bytes: Uint8Array.of(1, 0, 2) },
  records: [
    { known: true, value: { x: 3, y: 4 } },
    { known: true, value: { x: 5, y: 6 } },
  ],
  later: 5,
  last: undefined,
};

export interface Format {
  readonly name: string;
  readonly codec: Codec<unknown>;
  readonly seed: Uint8Array;
}

function format<T>(codec: Codec<T>, value: T): Format {
  return { name: codec.name, codec: codec as Codec<unknown>, seed: encode(codec, value) };
}

export const FORMATS: readonly Format[] = [
  format(tpmsAttest, QUOTE),
  format(veritySuperblock, SUPERBLOCK),
  format(gptHeader, GPT),
  format(everything, EVERYTHING),
];
