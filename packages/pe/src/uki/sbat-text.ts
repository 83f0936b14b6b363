// SPDX-License-Identifier: Apache-2.0
import { PeError } from '../error.ts';
import { MAX_SBAT_ENTRIES } from '../limits.ts';

/** One line of an image's .sbat. rhboot/shim, SBAT.md, "CSV format". Untrusted unless the image's signature was checked. */
export interface SbatComponent {
  readonly name: string;
  readonly generation: number;
  readonly vendorName: string;
  readonly vendorPackage: string;
  readonly vendorVersion: string;
  readonly vendorUrl: string;
}

/** A line of comma-separated values, and which it is, from 1. */
export interface SbatRow {
  readonly columns: readonly string[];
  readonly line: number;
}

/** shim compares 16 bits of a generation (sbat.c, verify_single_entry): 65536 would count as 0 there. */
const MAX_GENERATION = 0xffff;
const COMPONENT_COLUMNS = 6;

/**
 * The components of an image's .sbat, in its order; the first is 'sbat' itself. Held to what shim reads: six columns,
 * none empty (sbat.c, parse_sbat_section); more columns are passed over, empty lines too.
 * @throws {PeError} 'sbat_malformed' with the line, 'limit'.
 */
export function parseSbat(text: string): SbatComponent[] {
  return sbatRows(text).map(({ columns, line }) => {
    const [name = '', generation = '', vendorName = '', vendorPackage = '', vendorVersion = '', vendorUrl = ''] =
      columns.slice(0, COMPONENT_COLUMNS);
    if (columns.length < COMPONENT_COLUMNS) {
      throw malformed(`expected ${COMPONENT_COLUMNS} columns, found ${columns.length}`, line);
    }
    return {
      name,
      generation: parseGeneration(generation, line),
      vendorName,
      vendorPackage,
      vendorVersion,
      vendorUrl,
    };
  });
}

/**
 * The lines of an SBAT text, up to a NUL; empty ones are left out.
 * @throws {PeError} 'sbat_malformed' when the first is not that of 'sbat', 'limit'.
 */
export function sbatRows(text: string): SbatRow[] {
  const [content = ''] = text.replace(/^\ufeff/, '').split('\0', 1);
  const rows: SbatRow[] = [];
  // Cut one line beyond the limit, so that input does not choose how many strings are made.
  const lines = content.split(/\r\n|\n|\r/, 4 * MAX_SBAT_ENTRIES + 1);
  if (lines.length > 4 * MAX_SBAT_ENTRIES) throw tooMany();
  for (const [index, text] of lines.entries()) {
    if (text === '') continue;
    const line = index + 1;
    const columns = text.split(',', 64);
    if (columns.some((column) => column === '')) throw malformed('expected no empty column', line);
    if (rows.length === MAX_SBAT_ENTRIES) throw tooMany();
    rows.push({ columns, line });
  }
  if (rows[0]?.columns[0] !== 'sbat') throw malformed("expected SBAT that begins with 'sbat,'", rows[0]?.line ?? 1);
  return rows;
}

/** @throws {PeError} 'sbat_malformed'. */
export function parseGeneration(text: string, line: number): number {
  const generation = /^[0-9]{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (generation >= 1 && generation <= MAX_GENERATION) return generation;
  throw malformed(`expected a generation from 1 to ${MAX_GENERATION}, found '${text.slice(0, 40)}'`, line);
}

function tooMany(): PeError {
  return new PeError('limit', `expected at most ${MAX_SBAT_ENTRIES} lines of SBAT, found more`);
}

function malformed(message: string, line: number): PeError {
  return new PeError('sbat_malformed', message, { line });
}
