// SPDX-License-Identifier: Apache-2.0
import { DiskError } from '../error.ts';

/** What a short name may hold as it is. Microsoft FAT 1.03, "FAT Directory Structure", DIR_Name. */
const SHORT_NAME = /^[A-Z0-9!#$%&'()\-@^_`{}~]{1,8}(\.[A-Z0-9!#$%&'()\-@^_`{}~]{1,3})?$/;
const NOT_SHORT = /[^A-Z0-9!#$%&'()\-@^_`{}~]/g;

/** True when a name needs no long name beside it. */
export function isShortName(name: string): boolean {
  return SHORT_NAME.test(name);
}

/**
 * A name as lookups compare it. Firmware folds the letters it knows (UEFI 2.10, section 13.3, by the Unicode
 * collation); folding all that Unicode has refuses some names that a firmware would tell apart, and none the other way.
 */
export function foldName(name: string): string {
  let folded = '';
  for (const character of name) {
    const upper = character.toUpperCase();
    folded += upper.length === character.length ? upper : character;
  }
  return folded;
}

/** 11 octets: 8 of name and 3 of extension, filled up with spaces. */
export function encodeShortName(name: string): Uint8Array {
  const [base = '', extension = ''] = name.split('.');
  return Uint8Array.from(`${base.padEnd(8)}${extension.padEnd(3)}`, (character) => character.charCodeAt(0));
}

/** Microsoft FAT 1.03, "FAT Long Directory Entries", ChkSum: ties the long entries to the short one. */
export function shortNameChecksum(shortName: Uint8Array): number {
  let sum = 0;
  for (const octet of shortName) sum = (((sum & 1) << 7) + (sum >> 1) + octet) & 0xff;
  return sum;
}

/**
 * Gives each long name of one directory its short name, by Microsoft FAT 1.03, "The Basis-Name Generation Algorithm" and
 * "The Numeric-Tail Generation Algorithm": in upper case where that fits, else shortened, with a numbered tail. The same names in the same order get the same short names.
 */
export class ShortNames {
  readonly #taken: Set<string>;
  readonly #next = new Map<string, number>();

  /** @param names all of the directory, which no short name may equal. */
  constructor(names: Iterable<string>) {
    this.#taken = new Set(Array.from(names, foldName));
  }

  /** @throws {DiskError} 'limit' when a million names begin alike. */
  for(name: string): string {
    // What is short but for its case keeps its letters: no other name of the directory folds to them.
    const upper = name.toUpperCase();
    if (isAscii(name) && isShortName(upper)) return upper;
    const { base, extension } = basisOf(name);
    // Bases that a long tail cuts to the same letters must count on together, or each would try all that are taken.
    const stem = `${base.slice(0, 2)}.${extension}`;
    for (let n = this.#next.get(stem) ?? 1; n < 1_000_000; n++) {
      const tail = `~${n}`;
      const short = `${base.slice(0, 8 - tail.length)}${tail}${extension === '' ? '' : `.${extension}`}`;
      if (this.#taken.has(short)) continue;
      this.#taken.add(short);
      this.#next.set(stem, n + 1);
      return short;
    }
    throw new DiskError('limit', `FAT: expected fewer than a million long names like ${name} in one directory`);
  }
}

function isAscii(name: string): boolean {
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) > 0x7f) return false;
  return true;
}

function basisOf(name: string): { readonly base: string; readonly extension: string } {
  const plain = name.toUpperCase().replace(/ /g, '').replace(/^\.+/, '');
  const dot = plain.lastIndexOf('.');
  const clean = (text: string): string => text.replaceAll('.', '').replace(NOT_SHORT, '_');
  const base = clean(dot < 0 ? plain : plain.slice(0, dot)).slice(0, 6);
  return { base: base === '' ? '_' : base, extension: dot < 0 ? '' : clean(plain.slice(dot + 1)).slice(0, 3) };
}
