// SPDX-License-Identifier: Apache-2.0
import { readBytes } from '@vouchsafe/bytes';
import { type ImageSectionHeader, type PeFile, sectionSource } from '@vouchsafe/pe';
import { MeasureError } from './error.ts';

/** Octets of a section that holds text: more is not a command line or a release. */
const MAX_TEXT_BYTES = 1024 * 1024;

/**
 * A small section whole, of those that were selected; undefined when it is not among them.
 * @throws {MeasureError} 'limit'
 */
export function textOctets(
  pe: PeFile,
  sections: ReadonlyMap<string, ImageSectionHeader>,
  name: string,
): Uint8Array | undefined {
  const section = sections.get(name);
  if (section === undefined) return undefined;
  if (section.virtualSize > MAX_TEXT_BYTES) {
    const message = `${pe.source.label}: expected ${name} of at most ${MAX_TEXT_BYTES} octets, found ${section.virtualSize}`;
    throw new MeasureError('limit', message);
  }
  return readBytes(sectionSource(pe, section), 0, section.virtualSize);
}
