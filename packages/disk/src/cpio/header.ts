// SPDX-License-Identifier: Apache-2.0
import { ascii } from '@vouchsafe/base';
import { DiskError } from '../error.ts';

/**
 * The header of the new ASCII format, 110 octets of ASCII: a magic number and 13 fields of 8 hexadecimal digits. cpio(5),
 * "New ASCII Format"; Linux, Documentation/driver-api/early-userspace/buffer-format.rst.
 */
export interface CpioHeader {
  readonly ino: number;
  /** File type and permission bits, as in stat(2). */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly nlink: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  readonly sizeBytes: number;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** The device that a device node stands for. */
  readonly rdevMajor: number;
  readonly rdevMinor: number;
  /** Octets of the path with its NUL. */
  readonly nameBytes: number;
  /** Sum of the content's octets in the format 070702, else zero. */
  readonly checksum: number;
}

/** In wire order. */
const FIELDS = [
  'ino',
  'mode',
  'uid',
  'gid',
  'nlink',
  'mtime',
  'sizeBytes',
  'deviceMajor',
  'deviceMinor',
  'rdevMajor',
  'rdevMinor',
  'nameBytes',
  'checksum',
] as const satisfies readonly (keyof CpioHeader)[];

export const CPIO_HEADER_BYTES = 110;
/** The path that ends an archive. */
export const TRAILER_NAME = 'TRAILER!!!';

const MAGIC = '070701';
const MAGIC_WITH_CHECKSUM = '070702';

/** Octets from `position` to the next multiple of 4, at which paths end and contents begin and end. */
export function cpioPadding(position: number): number {
  return -position & 3;
}

/** @throws {DiskError} 'limit' for a number that does not fit 32 bits. */
export function encodeCpioHeader(header: CpioHeader): Uint8Array {
  let text = MAGIC;
  for (const field of FIELDS) {
    const value = header[field];
    if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) {
      throw new DiskError('limit', `cpio: expected ${field} from 0 to 4294967295, found ${value}`);
    }
    text += value.toString(16).padStart(8, '0');
  }
  return ascii(text);
}

/**
 * @param bytes 110 octets.
 * @param offset where they are in the archive, for messages.
 * @throws {DiskError} 'cpio_malformed'
 */
export function decodeCpioHeader(bytes: Uint8Array, offset: number): CpioHeader {
  const text = String.fromCharCode(...bytes);
  const magic = text.slice(0, 6);
  if (magic !== MAGIC && magic !== MAGIC_WITH_CHECKSUM) {
    throw malformed(offset, `expected 070701 or 070702, found ${JSON.stringify(magic)}`);
  }
  const header: Record<string, number> = {};
  for (const [i, field] of FIELDS.entries()) {
    const digits = text.slice(6 + 8 * i, 14 + 8 * i);
    if (!/^[0-9a-fA-F]{8}$/.test(digits)) {
      throw malformed(offset + 6 + 8 * i, `expected ${field} as 8 hexadecimal digits, found ${JSON.stringify(digits)}`);
    }
    header[field] = Number.parseInt(digits, 16);
  }
  return header as unknown as CpioHeader;
}

export function malformed(offset: number, problem: string, options?: ErrorOptions): DiskError {
  return new DiskError('cpio_malformed', `cpio archive, octet ${offset}: ${problem}`, options);
}
