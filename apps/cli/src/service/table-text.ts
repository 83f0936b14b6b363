// SPDX-License-Identifier: Apache-2.0
import { printable } from '../printable.ts';

/** Rows under a heading, in columns as wide as they need; what others wrote is made printable. */
export function tableText(heading: readonly string[], rows: readonly (readonly string[])[], none: string): string {
  if (rows.length === 0) return none;
  const cells = [heading, ...rows].map((row) => row.map((cell) => printable(cell).replace(/[\n\t]/g, ' ')));
  const widths = heading.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] as number))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** A moment in UTC, to the second; nothing for none. */
export function timeText(ms: number | undefined): string {
  return ms === undefined
    ? ''
    : new Date(ms)
        .toISOString()
        .replace('.000Z', 'Z')
        .replace(/\.\d+Z$/, 'Z');
}
