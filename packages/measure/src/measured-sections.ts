// SPDX-License-Identifier: Apache-2.0
import { MeasureError } from './error.ts';
import { FIRST_RELEASE, isKnownRelease, LAST_RELEASE } from './stub.ts';

/** A section in the order of measurement, and the first stub that measures it. */
interface MeasuredSection {
  readonly name: string;
  readonly from: number;
}

/**
 * The order in which systemd-stub measures sections into PCR 11, which is the order of its own code and not the one that the
 * UKI specification calls canonical; and since which version. systemd, src/fundamental/uki.c (sections) and the stub.c of each
 * release; checked by boots with 252, 254, 257 and 262.
 */
const ORDER: readonly MeasuredSection[] = [
  { name: '.linux', from: 252 },
  { name: '.osrel', from: 252 },
  { name: '.cmdline', from: 252 },
  { name: '.initrd', from: 252 },
  { name: '.ucode', from: 256 },
  { name: '.splash', from: 252 },
  { name: '.dtb', from: 252 },
  { name: '.uname', from: 254 },
  { name: '.sbat', from: 254 },
  { name: '.pcrpkey', from: 252 },
  { name: '.profile', from: 257 },
  { name: '.dtbauto', from: 257 },
  { name: '.hwids', from: 257 },
  { name: '.efifw', from: 258 },
];

/**
 * Names of the sections that a stub of this version measures, in its order.
 * @throws {MeasureError} 'stub_unknown' for one older or newer than those that were looked at: a guess would be a reference.
 */
export function measuredSections(stubMajor: number): string[] {
  if (!isKnownRelease(stubMajor)) {
    const message = `expected systemd-stub ${FIRST_RELEASE} to ${LAST_RELEASE}, found ${stubMajor}, whose measurements are not known`;
    throw new MeasureError('stub_unknown', message);
  }
  return ORDER.filter(({ from }) => stubMajor >= from).map(({ name }) => name);
}
