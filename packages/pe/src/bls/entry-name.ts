// SPDX-License-Identifier: Apache-2.0
import { PeError } from '../error.ts';

/** The tries that a boot entry has left, in its file name. UAPI.1 Boot Loader Specification, "Boot counting". */
export interface BootCounter {
  readonly left: number;
  readonly done: number;
  /** Digits of each number as written, 0 for a number left out: the boot loader keeps leading zeros. */
  readonly leftDigits: number;
  readonly doneDigits: number;
}

/** The file name of a boot entry: NAME[+LEFT[-DONE]].conf or .efi. */
export interface EntryFileName {
  /** Without counter and suffix. */
  readonly name: string;
  readonly counter: BootCounter | undefined;
  readonly suffix: '.conf' | '.efi';
}

/** 'good' has no counter, 'indeterminate' may be tried again, 'bad' has no tries left. */
export type EntryState = 'good' | 'indeterminate' | 'bad';

/** Characters of a file name on VFAT. */
const MAX_FILE_NAME = 255;
/** As many as a counter may have here; systemd-bless-boot stops at UINT_MAX. */
const MAX_DIGITS = 9;

/**
 * The file name of a boot entry. What stands before the counter is any text that a file name on VFAT can be; a '+' that
 * no digits follow up to the suffix is part of it, as for systemd-boot (src/boot/boot.c, boot_entry_parse_tries).
 * @throws {PeError} 'bls_malformed'.
 */
export function parseEntryFileName(fileName: string): EntryFileName {
  const match = /^(?<stem>.*)(?<suffix>\.conf|\.efi)$/is.exec(fileName);
  const suffix = match?.groups?.['suffix']?.toLowerCase();
  const stem = match?.groups?.['stem'] ?? '';
  if (suffix !== '.conf' && suffix !== '.efi') {
    throw malformed(`expected a file name that ends with .conf or .efi, found '${shown(fileName)}'`);
  }
  const counted = new RegExp(`^(.+)\\+(\\d{1,${MAX_DIGITS}})(?:-(\\d{1,${MAX_DIGITS}}))?$`, 's').exec(stem);
  const [, name = stem, left, done] = counted ?? [];
  requireName(name, fileName);
  if (left === undefined) return { name, counter: undefined, suffix };
  const counter = {
    left: Number(left),
    done: Number(done ?? 0),
    leftDigits: left.length,
    doneDigits: done?.length ?? 0,
  };
  return { name, counter, suffix };
}

/** @throws {PeError} 'bls_malformed' for a name that cannot be one, or that would be read otherwise. */
export function formatEntryFileName({ name, counter, suffix }: EntryFileName): string {
  const fileName = `${name}${counter === undefined ? '' : formatCounter(counter)}${suffix}`;
  const read = parseEntryFileName(fileName);
  if (read.name !== name || (read.counter === undefined) !== (counter === undefined)) {
    throw malformed(`expected a name that does not end as a counter does, found '${shown(name)}'`);
  }
  return fileName;
}

/** A counter with so many tries, none done: '+3'. */
export function bootCounter(left: number): BootCounter {
  return { left, done: 0, leftDigits: 1, doneDigits: 0 };
}

/**
 * The name that systemd-boot gives the entry before it starts it: one try fewer, one more done (boot.c,
 * config_entry_bump_counters). Undefined for an entry without counter or tries, which it leaves as it is.
 */
export function countedAfterTry(entry: EntryFileName): EntryFileName | undefined {
  const { counter } = entry;
  if (counter === undefined || counter.left === 0) return undefined;
  const { left, done, leftDigits, doneDigits } = counter;
  return { ...entry, counter: { left: left - 1, done: done + 1, leftDigits, doneDigits: Math.max(1, doneDigits) } };
}

export function entryState({ counter }: EntryFileName): EntryState {
  if (counter === undefined) return 'good';
  return counter.left === 0 ? 'bad' : 'indeterminate';
}

/**
 * The folder beside an image from which the stub takes addons, credentials and extensions. It has the name without the
 * counter, which changes with each boot: a folder named after the counted file is passed over in silence
 * (systemd-stub(7); src/boot/util.c, get_extra_dir).
 * @throws {PeError} 'bls_malformed' for a file that is no .efi.
 */
export function extraFolderOf(fileName: string): string {
  const { name, suffix } = parseEntryFileName(fileName);
  if (suffix !== '.efi') throw malformed(`expected a unified kernel image, found '${shown(fileName)}'`);
  return `${name}.efi.extra.d`;
}

function formatCounter({ left, done, leftDigits, doneDigits }: BootCounter): string {
  const written = [left, done].every(
    (value) => Number.isInteger(value) && value >= 0 && `${value}`.length <= MAX_DIGITS,
  );
  if (!written) throw malformed(`expected counts of at most ${MAX_DIGITS} digits, found ${left} and ${done}`);
  const end = done === 0 && doneDigits === 0 ? '' : `-${String(done).padStart(Math.min(doneDigits, MAX_DIGITS), '0')}`;
  return `+${String(left).padStart(Math.min(leftDigits, MAX_DIGITS), '0')}${end}`;
}

/** What VFAT refuses, and what would name another folder. Microsoft FAT specification, "Long File Names". */
function requireName(name: string, fileName: string): void {
  const bad = [...name].find((character) => character < ' ' || '"*/:<>?\\|\x7f'.includes(character));
  if (name === '' || name.startsWith('.') || bad !== undefined || fileName.length > MAX_FILE_NAME) {
    const what = `up to ${MAX_FILE_NAME} characters without "*/:<>?\\| and controls, not beginning with a dot`;
    throw malformed(`expected as a file name ${what}, found '${shown(fileName)}'`);
  }
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 80)).slice(1, -1);
}

function malformed(message: string): PeError {
  return new PeError('bls_malformed', message);
}
