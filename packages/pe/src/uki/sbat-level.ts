// SPDX-License-Identifier: Apache-2.0
import type { Finding } from '@vouchsafe/base';
import { PeError } from '../error.ts';
import type { PeFile } from '../read/pe-file.ts';
import { readSbat } from './sbat.ts';
import { parseGeneration, parseSbat, type SbatComponent, sbatRows } from './sbat-text.ts';

/** The least generations that shim loads: the variable SbatLevel. rhboot/shim, SBAT.md and SbatLevel_Variable.txt. */
export interface SbatLevel {
  /** Year, month, day and a number, as in '2022111500': which of two levels is the later one. */
  readonly datestamp: string | undefined;
  /** By component; 'sbat' is among them. */
  readonly generations: ReadonlyMap<string, number>;
}

export type SbatFindingCode =
  | 'sbat_missing' // no .sbat
  | 'sbat_malformed' // a .sbat that shim cannot read
  | 'sbat_revoked'; // a component of a generation below the level

/**
 * The value of SbatLevel, or a file with such text. shim takes the first line of a component where there are two.
 * @throws {PeError} 'sbat_malformed' with the line, 'limit'.
 */
export function parseSbatLevel(text: string): SbatLevel {
  const generations = new Map<string, number>();
  const rows = sbatRows(text);
  for (const { columns, line } of rows) {
    const [name = '', generation] = columns;
    if (generation === undefined)
      throw new PeError('sbat_malformed', 'expected a component and a generation', { line });
    if (!generations.has(name)) generations.set(name, parseGeneration(generation, line));
  }
  const datestamp = rows[0]?.columns[2];
  if (datestamp !== undefined && !/^[0-9]{10}$/.test(datestamp)) {
    throw new PeError('sbat_malformed', `expected a date of 10 digits, found '${datestamp.slice(0, 40)}'`, {
      line: rows[0]?.line,
    });
  }
  return { datestamp, generations };
}

/**
 * What shim says of an image at this level (rhboot/shim, sbat.c, verify_sbat): every component that both name must have
 * at least the level's generation; a component that the level does not name passes. An image without .sbat is refused
 * when shim itself loads it. Firmware without shim knows nothing of SBAT.
 */
export function checkSbat(pe: PeFile, level: SbatLevel): Finding<SbatFindingCode>[] {
  const where = { artefact: pe.source.label, path: '.sbat' };
  let components: readonly SbatComponent[];
  try {
    const text = readSbat(pe);
    if (text === undefined) {
      const hint = 'shim does not load an image without it; build the image with SBAT';
      return [{ code: 'sbat_missing', severity: 'error', where, expected: 'a section .sbat', actual: 'none', hint }];
    }
    components = parseSbat(text);
  } catch (error) {
    if (!(error instanceof PeError)) throw error;
    return [
      { code: 'sbat_malformed', severity: 'error', where, hint: `shim does not load the image: ${error.message}` },
    ];
  }
  return components.flatMap(({ name, generation }): Finding<SbatFindingCode>[] => {
    const least = level.generations.get(name);
    if (least === undefined || generation >= least) return [];
    const hint = `shim does not load the image, as this generation of ${name} is revoked; build it with a newer one`;
    const [expected, actual] = [`${name} of generation ${least} or later`, `${generation}`];
    return [{ code: 'sbat_revoked', severity: 'error', where, expected, actual, hint }];
  });
}
