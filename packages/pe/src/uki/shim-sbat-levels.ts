// SPDX-License-Identifier: Apache-2.0
import { PeError } from '../error.ts';
import { longSectionName } from '../read/long-section-name.ts';
import type { PeFile } from '../read/pe-file.ts';
import { readSmallData } from '../read/section-data.ts';
import { parseSbatLevel, type SbatLevel } from './sbat-level.ts';

/** The SBAT levels that a shim carries. */
export interface ShimSbatLevels {
  /** What it sets and enforces by itself; 'previous' in shims before 15.8. */
  readonly automatic: SbatLevel;
  /** What it sets when an administrator asks for it (mokutil --set-sbat-policy latest). */
  readonly latest: SbatLevel;
}

/** Where the two offsets stand, and count from. */
const PAYLOAD_OFFSET = 4;
const PAYLOAD_HEADER_BYTES = 8;

/**
 * The levels in a shim's .sbatlevel: a format version of 0, then the offsets of two texts that end with a NUL (rhboot/shim
 * 15.6 and later, sbat_var.S). Undefined for a file without that section.
 * @throws {PeError} 'sbat_malformed' for another version, or texts that are not there; 'limit'.
 */
export function readShimSbatLevels(pe: PeFile): ShimSbatLevels | undefined {
  const section = pe.sections.find((one) => longSectionName(pe, one) === '.sbatlevel');
  if (section === undefined) return undefined;
  const bytes = readSmallData(pe, section);
  const bad = (problem: string): PeError => new PeError('sbat_malformed', `${pe.source.label}: .sbatlevel: ${problem}`);
  if (bytes.length < PAYLOAD_OFFSET + PAYLOAD_HEADER_BYTES)
    throw bad(`expected 12 octets or more, found ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const version = view.getUint32(0, true);
  if (version !== 0) throw bad(`expected format version 0, found ${version}`);
  const levelAt = (field: number): SbatLevel => {
    const start = PAYLOAD_OFFSET + view.getUint32(PAYLOAD_OFFSET + field, true);
    const end = start < bytes.length ? bytes.indexOf(0, start) : -1;
    if (end < 0) throw bad(`expected a text at ${start} that ends with a NUL, found ${bytes.length} octets in all`);
    return parseSbatLevel(String.fromCharCode(...bytes.subarray(start, end)));
  };
  return { automatic: levelAt(0), latest: levelAt(4) };
}
