// SPDX-License-Identifier: Apache-2.0
import { concatBytes } from '@vouchsafe/base';
import { encode } from '@vouchsafe/codec';
import { DiskError } from '../error.ts';
import {
  fatLongNameEntry,
  LAST_LONG_ENTRY,
  LONG_NAME_ATTRIBUTES,
  MAX_LONG_NAME_UNITS,
  UNITS_PER_LONG_ENTRY,
} from './structures.ts';

/** Microsoft FAT 1.03, "FAT Long Directory Entries": these, and control characters, no name may hold. */
const FORBIDDEN = /["*/:<>?\\|]/;

function hasControl(name: string): boolean {
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) < 0x20 || name.charCodeAt(i) === 0x7f) return true;
  return false;
}

/**
 * @param path for the message.
 * @throws {DiskError} 'name_invalid' for a name that FAT cannot hold, or that some readers change.
 */
export function requireLongName(name: string, path: string): void {
  const refuse = (problem: string): never => {
    throw new DiskError('name_invalid', `FAT: ${path}: ${problem}; rename it`);
  };
  if (name === '' || name === '.' || name === '..') refuse('expected a name in each part of the path');
  if (name.length > MAX_LONG_NAME_UNITS) {
    refuse(`expected a name of at most ${MAX_LONG_NAME_UNITS} UTF-16 code units, found ${name.length}`);
  }
  if (FORBIDDEN.test(name) || hasControl(name))
    refuse('expected a name without control characters and " * / : < > ? \\ |');
  // Leading and trailing spaces and trailing dots are ignored by readers, so that two names would be one.
  if (/[. ]$|^ /.test(name)) refuse('expected a name that neither begins with a space nor ends with a space or dot');
  if (!name.isWellFormed()) refuse('expected whole UTF-16 characters');
}

/** Entries that a long name takes. */
export function longNameEntryCount(name: string): number {
  return Math.ceil(name.length / UNITS_PER_LONG_ENTRY);
}

/** The entries in the order of the disk: the last part first. */
export function encodeLongName(name: string, checksum: number): Uint8Array {
  const count = longNameEntryCount(name);
  const entries: Uint8Array[] = [];
  for (let order = count; order >= 1; order--) {
    const units = unitsOf(name, (order - 1) * UNITS_PER_LONG_ENTRY);
    const entry = encode(fatLongNameEntry, {
      order: order === count ? order | LAST_LONG_ENTRY : order,
      units1: units.subarray(0, 10),
      attributes: LONG_NAME_ATTRIBUTES,
      type: 0,
      checksum,
      units2: units.subarray(10, 22),
      cluster: 0,
      units3: units.subarray(22, 26),
    });
    entries.push(entry);
  }
  return concatBytes(...entries);
}

/** 13 code units from `start`: behind the name one zero, then ones. */
function unitsOf(name: string, start: number): Uint8Array {
  const units = new Uint8Array(2 * UNITS_PER_LONG_ENTRY);
  const view = new DataView(units.buffer);
  for (let i = 0; i < UNITS_PER_LONG_ENTRY; i++) {
    const at = start + i;
    view.setUint16(2 * i, at < name.length ? name.charCodeAt(at) : at === name.length ? 0 : 0xffff, true);
  }
  return units;
}
