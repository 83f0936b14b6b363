// SPDX-License-Identifier: Apache-2.0
import { ascii, bytesEqual, concatBytes } from '@vouchsafe/base';
import { decode, type Infer } from '@vouchsafe/codec';
import { tarMalformed } from './malformed.ts';
import { tarHeader } from './structures.ts';

/** A header with its numbers read. Names are octets: nothing says that they are text. */
export interface TarHeader {
  readonly name: Uint8Array;
  readonly linkName: Uint8Array;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  /** May be before 1970. */
  readonly mtimeSeconds: number;
  readonly typeFlag: number;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  readonly isGnu: boolean;
  /** What GNU tar keeps at the end. */
  readonly rest: Uint8Array;
}

const USTAR_MAGIC = ascii('ustar\x0000');
const GNU_MAGIC = ascii('ustar  \0');
const SPACE = 0x20;
const SLASH = Uint8Array.of(0x2f);
const CHECKSUM_START = 148;
const CHECKSUM_END = 156;

/**
 * A header block; undefined for one of zeros only, as end an archive.
 * @param block 512 octets at `offset` of the archive, which is for messages.
 * @throws {DiskError} 'tar_malformed'
 */
export function decodeTarHeader(block: Uint8Array, label: string, offset: number): TarHeader | undefined {
  if (block.every((octet) => octet === 0)) return undefined;
  const raw = decode(tarHeader, block);
  const number = (field: Exclude<NumberField, 'checksum'>): number =>
    parseTarNumber(raw[field], label, offset + PLACES[field]);
  requireChecksum(block, raw.checksum, label, offset);
  const isGnu = bytesEqual(raw.magic, GNU_MAGIC);
  // Writers differ in what they put behind "ustar" NUL; what was there before 1988 has no magic, prefix or devices.
  const isUstar = bytesEqual(raw.magic.subarray(0, 6), USTAR_MAGIC.subarray(0, 6));
  const sizeBytes = number('size');
  if (sizeBytes < 0) throw tarMalformed(label, offset + PLACES.size, `expected a size, found ${sizeBytes}`);
  const hasDevice = isGnu || isUstar;
  return {
    name: isUstar ? withPrefix(raw) : upToNul(raw.name),
    linkName: upToNul(raw.linkName),
    mode: number('mode'),
    uid: number('uid'),
    gid: number('gid'),
    sizeBytes,
    mtimeSeconds: number('mtime'),
    typeFlag: raw.typeFlag,
    deviceMajor: hasDevice ? number('deviceMajor') : 0,
    deviceMinor: hasDevice ? number('deviceMinor') : 0,
    isGnu,
    rest: raw.rest,
  };
}

/** Where the fields begin. */
const PLACES = {
  mode: 100,
  uid: 108,
  gid: 116,
  size: 124,
  mtime: 136,
  checksum: 148,
  deviceMajor: 329,
  deviceMinor: 337,
} as const;
type NumberField = keyof typeof PLACES;

/**
 * Octal digits between spaces and NULs, nothing at all being zero; or, where the first bit is set, big-endian octets in two's
 * complement, for what is too large or negative. POSIX.1-2017, pax, "ustar Interchange Format"; GNU tar 1.34 manual, "Basic
 * Tar Format".
 * @throws {DiskError} 'tar_malformed', also for what no number here can hold exactly.
 */
export function parseTarNumber(field: Uint8Array, label: string, offset: number): number {
  const first = field[0] as number;
  if ((first & 0x80) !== 0) {
    let value = first === 0xff ? -1n : BigInt(first & 0x7f);
    for (const octet of field.subarray(1)) value = (value << 8n) | BigInt(octet);
    const number = Number(value);
    if (!Number.isSafeInteger(number))
      throw tarMalformed(label, offset, `expected a number of 53 bits, found ${value}`);
    return number;
  }
  const text = String.fromCharCode(...field);
  const digits = /^ *([0-7]*)[ \0]*$/.exec(text)?.[1];
  // Some writers leave other octets behind the NUL; what comes before it counts.
  const found = digits ?? /^ *([0-7]*)\0/.exec(text)?.[1];
  if (found === undefined) throw tarMalformed(label, offset, `expected an octal number, found ${JSON.stringify(text)}`);
  return found === '' ? 0 : Number.parseInt(found, 8);
}

/** Some old writers summed octets as signed; every reader takes both. POSIX.1-2017, pax, "ustar Interchange Format", chksum. */
function requireChecksum(block: Uint8Array, field: Uint8Array, label: string, offset: number): void {
  let unsigned = SPACE * (CHECKSUM_END - CHECKSUM_START);
  let signed = unsigned;
  for (let i = 0; i < block.length; i++) {
    if (i >= CHECKSUM_START && i < CHECKSUM_END) continue;
    const octet = block[i] as number;
    unsigned += octet;
    signed += octet < 0x80 ? octet : octet - 0x100;
  }
  const expected = parseTarNumber(field, label, offset + PLACES.checksum);
  if (expected === unsigned || expected === signed) return;
  throw tarMalformed(
    label,
    offset,
    `expected a header with the checksum ${unsigned}, found ${expected}; is this a tar archive, and whole?`,
  );
}

/** Up to the first NUL. */
export function upToNul(field: Uint8Array): Uint8Array {
  const nul = field.indexOf(0);
  return nul < 0 ? field : field.subarray(0, nul);
}

/** star and its like keep times behind a prefix of 131 octets, and say so at the end of the block. */
const STAR_PREFIX_BYTES = 131;
const USTAR_PREFIX_BYTES = 155;
const STAR_MARK = ascii('tar\0');

function withPrefix({ name, rest }: Infer<typeof tarHeader>): Uint8Array {
  const isStar = bytesEqual(rest.subarray(163, 167), STAR_MARK);
  const prefix = upToNul(rest.subarray(0, isStar ? STAR_PREFIX_BYTES : USTAR_PREFIX_BYTES));
  return prefix.length === 0 ? upToNul(name) : concatBytes(prefix, SLASH, upToNul(name));
}
