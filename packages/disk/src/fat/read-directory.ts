// SPDX-License-Identifier: Apache-2.0
import { decode, type Infer } from '@vouchsafe/codec';
import { shortNameChecksum } from './short-name.ts';
import {
  DIRECTORY_ENTRY_BYTES,
  FAT_ATTRIBUTES,
  fatDirectoryEntry,
  fatLongNameEntry,
  LAST_LONG_ENTRY,
  LONG_NAME_ATTRIBUTES,
  LONG_NAME_MASK,
  MAX_LONG_NAME_UNITS,
  UNITS_PER_LONG_ENTRY,
} from './structures.ts';

/** An entry of a directory as it is on the disk. */
export interface RawFatEntry {
  /** The long name, or else the short one. Untrusted. */
  readonly name: string;
  readonly shortName: string;
  readonly entry: Infer<typeof fatDirectoryEntry>;
  readonly firstCluster: number;
}

const END = 0x00;
const DELETED = 0xe5;
/** Stands for a first octet of 0xE5 that is meant. */
const ESCAPED_E5 = 0x05;

/**
 * The files and directories among the entries; "." and "..", labels and what was deleted are left out. Long names without
 * the entry they belong to are passed over, as all readers do: Microsoft FAT 1.03, "FAT Long Directory Entries".
 * @param onOrphan told where such a part lies, in octets.
 */
export function* decodeDirectory(bytes: Uint8Array, onOrphan?: (at: number) => void): Generator<RawFatEntry, void> {
  let long: LongName | undefined;
  const dropLong = (at: number): void => {
    if (long !== undefined) onOrphan?.(at - DIRECTORY_ENTRY_BYTES);
    long = undefined;
  };
  for (let at = 0; at + DIRECTORY_ENTRY_BYTES <= bytes.length; at += DIRECTORY_ENTRY_BYTES) {
    const octets = bytes.subarray(at, at + DIRECTORY_ENTRY_BYTES);
    const first = octets[0] as number;
    if (first === END) return dropLong(at);
    if (first === DELETED) {
      dropLong(at);
      continue;
    }
    if (((octets[11] as number) & LONG_NAME_MASK) === LONG_NAME_ATTRIBUTES) {
      const part = decode(fatLongNameEntry, octets);
      const next = nextPart(long, part);
      // A part that begins a name leaves the one before it without its end.
      if (next === undefined || (part.order & LAST_LONG_ENTRY) !== 0) dropLong(at);
      if (next === undefined) onOrphan?.(at);
      long = next;
      continue;
    }
    const entry = decode(fatDirectoryEntry, octets);
    const longName = long !== undefined && long.order === 1 && long.checksum === shortNameChecksum(entry.name);
    const name = longName ? nameOf(long as LongName) : undefined;
    if (longName) long = undefined;
    dropLong(at);
    const shortName = parseShortName(entry.name, entry.caseFlags);
    if ((entry.attributes & FAT_ATTRIBUTES.volumeLabel) !== 0 || shortName === '.' || shortName === '..') continue;
    const firstCluster = entry.clusterHigh * 0x10000 + entry.clusterLow;
    yield { name: name ?? shortName, shortName, entry, firstCluster };
  }
  dropLong(bytes.length);
}

/** The parts of a long name so far; they come last first. */
interface LongName {
  readonly order: number;
  readonly checksum: number;
  readonly units: readonly number[];
}

function nextPart(long: LongName | undefined, part: Infer<typeof fatLongNameEntry>): LongName | undefined {
  const order = part.order & ~LAST_LONG_ENTRY;
  const units = unitsOf(part);
  if ((part.order & LAST_LONG_ENTRY) !== 0) {
    if (order < 1 || order > Math.ceil(MAX_LONG_NAME_UNITS / UNITS_PER_LONG_ENTRY)) return undefined;
    return { order, checksum: part.checksum, units };
  }
  if (long === undefined || order !== long.order - 1 || order < 1 || part.checksum !== long.checksum) return undefined;
  return { order, checksum: long.checksum, units: [...units, ...long.units] };
}

function unitsOf({ units1, units2, units3 }: Infer<typeof fatLongNameEntry>): number[] {
  return [units1, units2, units3].flatMap((octets) => {
    const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
    return Array.from({ length: octets.length / 2 }, (_, i) => view.getUint16(2 * i, true));
  });
}

/** Up to the NUL, which a name that fills its parts does not have; undefined for an empty name. */
function nameOf({ units }: LongName): string | undefined {
  const nul = units.indexOf(0);
  const used = nul < 0 ? units : units.slice(0, nul);
  return used.length === 0 || used.length > MAX_LONG_NAME_UNITS ? undefined : String.fromCharCode(...used);
}

const LOWER_CASE_NAME = 0x08;
const LOWER_CASE_EXTENSION = 0x10;

/** Octets above 0x7F depend on a code page that no volume names; they are shown as Latin-1. */
function parseShortName(octets: Uint8Array, caseFlags: number): string {
  const copy = octets.slice();
  if (copy[0] === ESCAPED_E5) copy[0] = DELETED;
  const text = String.fromCharCode(...copy);
  const [base, extension] = [text.slice(0, 8).trimEnd(), text.slice(8).trimEnd()];
  const shownBase = (caseFlags & LOWER_CASE_NAME) !== 0 ? base.toLowerCase() : base;
  const shown = (caseFlags & LOWER_CASE_EXTENSION) !== 0 ? extension.toLowerCase() : extension;
  return shown === '' ? shownBase : `${shownBase}.${shown}`;
}
