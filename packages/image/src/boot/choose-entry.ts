// SPDX-License-Identifier: Apache-2.0
import { parseUtf8 } from '@vouchsafe/base';
import { type ByteSource, readBytes } from '@vouchsafe/bytes';
import { ESP_PATH, type LoaderConf, PeError, parseBootEntry, parseEntryFileName, parseLoaderConf } from '@vouchsafe/pe';
import { ImageError } from '../error.ts';
import type { EspFiles } from './esp-files.ts';

/** What systemd-boot starts. */
export interface ChosenEntry {
  /** Path of the UKI. */
  readonly path: string;
  /** Options of a type #1 entry. */
  readonly commandLine?: string;
  readonly profile?: number;
}

const MAX_TEXT_BYTES = 1024 * 1024;

/** A small text file of the ESP. @throws {ImageError} 'boot_unknown' @throws {TextError} @throws {BytesError} */
function textOf(content: ByteSource): string {
  if (content.size > MAX_TEXT_BYTES) {
    const message = `${content.label}: expected at most ${MAX_TEXT_BYTES} octets, found ${content.size}`;
    throw new ImageError('boot_unknown', message);
  }
  return parseUtf8(readBytes(content, 0, content.size));
}

/**
 * The entry that systemd-boot starts by itself: the only one, or the one that is named, or the one that loader.conf's
 * `default` names. Variables of the machine (LoaderEntryDefault, LoaderEntryOneShot) and people at the menu can choose
 * another. Its order of several entries is not followed here: which of them is meant is to be said.
 * @param wanted file name of an entry, with or without its boot counter and suffix.
 * @throws {ImageError} 'entry_ambiguous' with the names, 'boot_unknown' when there is none. @throws {PeError}
 */
export function chooseEntry(esp: EspFiles, wanted: string | undefined): ChosenEntry {
  const entries = [
    ...esp.folder(ESP_PATH.images).filter(({ name }) => /\.efi$/i.test(name)),
    ...esp.folder(ESP_PATH.entries).filter(({ name }) => /\.conf$/i.test(name)),
  ];
  const conf = esp.open(ESP_PATH.loaderConf);
  const pattern = wanted ?? (conf === undefined ? undefined : defaultOf(parseLoaderConf(textOf(conf))));
  const matching = pattern === undefined ? entries : entries.filter(({ name }) => idsOf(name).some(matcher(pattern)));
  const [entry] = matching;
  if (entry === undefined || matching.length > 1) {
    const names = entries.map(({ name }) => name).join(', ') || 'none';
    const found = matching.length === 0 ? `no entry ${pattern ?? ''}` : `${matching.length}`;
    const message = `expected one boot entry to start, found ${found} among ${names}; name one`;
    throw new ImageError(entries.length === 0 ? 'boot_unknown' : 'entry_ambiguous', message);
  }
  if (/\.efi$/i.test(entry.name)) return { path: entry.content.label };
  return fromEntryFile(entry.content);
}

/** systemd-boot compares with the whole name, and with the one without counter; people leave out the suffix. */
function idsOf(fileName: string): string[] {
  const ids = [fileName.toLowerCase()];
  try {
    const { name, suffix } = parseEntryFileName(fileName);
    ids.push(`${name}${suffix}`.toLowerCase(), name.toLowerCase());
  } catch (error) {
    if (!(error instanceof PeError)) throw error;
  }
  return ids;
}

/** loader.conf(5), default: a pattern; '@saved' is a variable of the machine. */
function defaultOf({ default: pattern }: LoaderConf): string | undefined {
  if (pattern?.startsWith('@') !== true) return pattern;
  const message = `expected a default entry in loader.conf that the disk decides, found ${pattern}; name the entry`;
  throw new ImageError('entry_ambiguous', message);
}

/** '*' and '?', as in efi_fnmatch, walked without going back more than one star. systemd, src/boot/efi-string.c. */
function matcher(pattern: string): (text: string) => boolean {
  const wanted = pattern.toLowerCase();
  return (text) => {
    let [p, t, star, mark] = [0, 0, -1, 0];
    while (t < text.length) {
      if (wanted[p] === '*') [star, mark] = [p++, t];
      else if (p < wanted.length && (wanted[p] === '?' || wanted[p] === text[t])) [p, t] = [p + 1, t + 1];
      else if (star >= 0) [p, t] = [star + 1, ++mark];
      else return false;
    }
    while (wanted[p] === '*') p++;
    return p === wanted.length;
  };
}

/** A type #1 entry that starts a UKI. */
function fromEntryFile(content: ByteSource): ChosenEntry {
  const entry = parseBootEntry(textOf(content));
  const path = entry.uki ?? entry.efi;
  if (path === undefined) {
    const message = `${content.label}: expected an entry that starts a unified kernel image, found one with kernel and initrd apart`;
    throw new ImageError('boot_unknown', message);
  }
  const options = (entry.options ?? []).join(' ');
  return {
    path,
    ...(options === '' ? {} : { commandLine: options }),
    ...(entry.profile === undefined ? {} : { profile: Number(entry.profile) }),
  };
}
