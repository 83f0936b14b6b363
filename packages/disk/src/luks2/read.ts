// SPDX-License-Identifier: Apache-2.0
import { ascii, bytesEqual, type Finding, parseUtf8, TextError } from '@vouchsafe/base';
import { type ByteSource, readBytes } from '@vouchsafe/bytes';
import { CodecError, decode } from '@vouchsafe/codec';
import { type DigestAlgorithm, digestSize, isDigestAlgorithm, isDigestAvailable, startDigest } from '@vouchsafe/crypto';
import { DiskError } from '../error.ts';
import {
  LUKS2_BINARY_BYTES,
  LUKS2_CHECKSUM_BYTES,
  LUKS2_CHECKSUM_OFFSET,
  type Luks2BinaryHeader,
  luks2Header,
} from './header.ts';
import { type Luks2Metadata, requireMetadata } from './metadata.ts';

export type Luks2FindingCode =
  | 'luks2_copy_damaged' // one of the two copies cannot be read; the other can
  | 'luks2_copy_older'; // one of the two copies was not written with the last change

/** A LUKS2 header, read from the better of its two copies. */
export interface Luks2 {
  readonly header: Luks2BinaryHeader;
  /** What the JSON area says, as it stands there: unknown members included. */
  readonly metadata: Luks2Metadata;
  readonly findings: readonly Finding<Luks2FindingCode>[];
}

const MAGIC_FIRST = Uint8Array.from([...ascii('LUKS'), 0xba, 0xbe]);
const MAGIC_SECOND = Uint8Array.from([...ascii('SKUL'), 0xba, 0xbe]);

/** Sizes of a copy: section 2.2; the second copy follows the first. */
export const LUKS2_HEADER_SIZES: readonly number[] = [16, 32, 64, 128, 256, 512, 1024, 2048, 4096].map(
  (kib) => kib * 1024,
);

/**
 * The header of a LUKS2 volume, or of a detached header file. LUKS2 On-Disk Format Specification 1.1, section 2. A copy
 * counts when its checksum holds; of two good ones the one with the higher sequence number.
 * @throws {DiskError} 'luks2_missing' when neither copy is there, 'luks2_malformed' when neither is whole.
 */
export function readLuks2(source: ByteSource): Luks2 {
  const first = readCopy(source, 0, MAGIC_FIRST);
  const second = secondCopy(source, first);
  const newer = newest(first, second);
  if (newer === undefined) throw nothingWhole(source, first, second);
  const findings: Finding<Luks2FindingCode>[] = [];
  const other = newer === first ? second : first;
  const where = { artefact: source.label, path: newer === first ? 'second copy' : 'first copy' };
  if (!isGood(other)) {
    const actual = other.problem;
    const hint = 'Any change with cryptsetup, such as a new token, writes both copies anew';
    findings.push({ code: 'luks2_copy_damaged', severity: 'warning', where, actual, hint });
  } else if (other.copy.header.seqid !== newer.copy.header.seqid) {
    const hint = 'The last change was interrupted; the next one repairs it';
    findings.push({ code: 'luks2_copy_older', severity: 'warning', where, hint });
  }
  const { header, json } = newer.copy;
  return { header, metadata: parseMetadata(json, source.label), findings };
}

interface Copy {
  readonly header: Luks2BinaryHeader;
  /** The JSON area's text. */
  readonly json: Uint8Array;
}

type Attempt =
  | { readonly copy: Copy }
  | { readonly copy?: undefined; readonly problem: string; readonly isHere: boolean };
type Good = Extract<Attempt, { copy: Copy }>;

const isGood = (attempt: Attempt): attempt is Good => attempt.copy !== undefined;

function newest(first: Attempt, second: Attempt): Good | undefined {
  if (!isGood(first)) return isGood(second) ? second : undefined;
  if (!isGood(second)) return first;
  return second.copy.header.seqid > first.copy.header.seqid ? second : first;
}

/** The second copy lies behind the first; where that one does not say its size, every size is tried. */
function secondCopy(source: ByteSource, first: Attempt): Attempt {
  const sizes = isGood(first) ? [Number(first.copy.header.hdrSize)] : LUKS2_HEADER_SIZES;
  let last: Attempt = { problem: 'not found', isHere: false };
  for (const size of sizes) {
    last = readCopy(source, size, MAGIC_SECOND);
    if (isGood(last) || last.isHere) return last;
  }
  return last;
}

function readCopy(source: ByteSource, offset: number, magic: Uint8Array): Attempt {
  if (source.size < offset + LUKS2_BINARY_BYTES) return { problem: 'the file ends before it', isHere: false };
  const binary = readBytes(source, offset, LUKS2_BINARY_BYTES);
  if (!bytesEqual(binary.subarray(0, magic.length), magic)) return { problem: 'no magic number', isHere: false };
  const damaged = (problem: string): Attempt => ({ problem, isHere: true });
  let header: Luks2BinaryHeader;
  try {
    header = decode(luks2Header, binary);
  } catch (error) {
    if (error instanceof CodecError) return damaged(error.message);
    throw error;
  }
  const size = Number(header.hdrSize);
  if (!LUKS2_HEADER_SIZES.includes(size)) return damaged(`expected a size of 16 KiB to 4 MiB, found ${header.hdrSize}`);
  // Section 2.1: a copy at another place was moved there.
  if (header.hdrOffset !== BigInt(offset)) return damaged(`expected offset ${offset}, found ${header.hdrOffset}`);
  if (source.size < offset + size) return damaged(`expected ${size} octets, found ${source.size - offset}`);
  const area = readBytes(source, offset + LUKS2_BINARY_BYTES, size - LUKS2_BINARY_BYTES);
  const sum = checksumOf(header.csumAlg, binary, area);
  if (sum === undefined) return damaged(`expected a checksum by a known digest, found ${header.csumAlg}`);
  if (!bytesEqual(header.csum.subarray(0, sum.length), sum)) return damaged('its checksum is wrong');
  const end = area.indexOf(0);
  return { copy: { header, json: end < 0 ? area : area.subarray(0, end) } };
}

/** Undefined for a digest that is not known, or is too long to be one here. */
export function checksumOf(algorithm: string, binary: Uint8Array, area: Uint8Array): Uint8Array | undefined {
  if (!isDigestAlgorithm(algorithm) || !isDigestAvailable(algorithm)) return undefined;
  if (digestSize(algorithm as DigestAlgorithm) > LUKS2_CHECKSUM_BYTES) return undefined;
  const digest = startDigest(algorithm);
  digest.update(binary.subarray(0, LUKS2_CHECKSUM_OFFSET));
  digest.update(new Uint8Array(LUKS2_CHECKSUM_BYTES));
  digest.update(binary.subarray(LUKS2_CHECKSUM_OFFSET + LUKS2_CHECKSUM_BYTES));
  return digest.update(area).digest();
}

function parseMetadata(json: Uint8Array, label: string): Luks2Metadata {
  let value: unknown;
  try {
    value = JSON.parse(parseUtf8(json));
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof TextError)) throw cause;
    throw new DiskError('luks2_malformed', `${label}: expected JSON in the header's JSON area`, { cause });
  }
  return requireMetadata(value, label);
}

function nothingWhole(source: ByteSource, first: Attempt, second: Attempt): DiskError {
  const problems = [first, second].map((attempt) => (isGood(attempt) ? '' : attempt.problem));
  const isHere = [first, second].some((attempt) => !isGood(attempt) && attempt.isHere);
  if (!isHere) {
    return new DiskError(
      'luks2_missing',
      `${source.label}: expected a LUKS2 header, found none; is it a LUKS1 volume?`,
    );
  }
  return new DiskError(
    'luks2_malformed',
    `${source.label}: neither copy of the LUKS2 header is whole (first: ${problems[0]}; second: ${problems[1]})`,
  );
}
