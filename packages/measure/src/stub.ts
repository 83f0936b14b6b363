// SPDX-License-Identifier: Apache-2.0
import { type PeFile, stubVersionOf } from '@vouchsafe/pe';
import { MeasureError } from './error.ts';

/** The releases whose measurements are known: from the first that measures sections to the newest that was looked at. */
export const FIRST_RELEASE = 252;
export const LAST_RELEASE = 262;

/** What measures: systemd's stub or boot loader of a release. */
export interface Release {
  readonly major: number;
  /** As it stands in the file: '252.39-1~deb12u1'. */
  readonly version: string;
}

/**
 * The stub that a UKI is made with. The file says so itself, and whoever can change that can change the rest too.
 * @throws {MeasureError} 'stub_unknown' when there is none in the file, or one outside 252 to 262.
 */
export function stubOf(uki: PeFile): Release {
  const found = stubVersionOf(uki);
  const where = `${uki.source.label}: expected .sdmagic of systemd-stub ${FIRST_RELEASE} to ${LAST_RELEASE}`;
  if (found?.product !== 'systemd-stub') {
    throw new MeasureError('stub_unknown', `${where}, found ${found?.product ?? 'none'}; is it a UKI?`);
  }
  if (!isKnownRelease(found.major)) {
    throw new MeasureError('stub_unknown', `${where}, found ${found.version}, whose measurements are not known`);
  }
  return found;
}

/**
 * The release of systemd-boot.
 * @throws {MeasureError} 'loader_unknown' for another program, or one outside 252 to 262.
 */
export function systemdBootOf(loader: PeFile): Release {
  const found = stubVersionOf(loader);
  if (found?.product !== 'systemd-boot' || !isKnownRelease(found.major)) {
    const what = found === undefined ? 'none' : `${found.product} ${found.version}`;
    const message = `${loader.source.label}: expected .sdmagic of systemd-boot ${FIRST_RELEASE} to ${LAST_RELEASE}, found ${what}`;
    throw new MeasureError('loader_unknown', message);
  }
  return found;
}

/** True when the file says that it is a UKI of systemd's stub, of whatever release. */
export function isUki(pe: PeFile): boolean {
  return stubVersionOf(pe)?.product === 'systemd-stub';
}

/** True when the file says that it is systemd-boot. */
export function isSystemdBoot(pe: PeFile): boolean {
  return stubVersionOf(pe)?.product === 'systemd-boot';
}

export function isKnownRelease(major: number): boolean {
  return major >= FIRST_RELEASE && major <= LAST_RELEASE;
}

/** For what a release does in a way that was not looked at: nothing is guessed. */
export function unknownOf({ version }: Release, what: string): MeasureError {
  return new MeasureError('stub_unknown', `systemd-stub ${version}: it is not known ${what}`);
}
