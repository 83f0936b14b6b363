// SPDX-License-Identifier: Apache-2.0
import { PeError } from '../error.ts';
import { type ConfigLine, configError, formatConfigLine, parseConfigLines } from './config-lines.ts';

/** A type #1 boot entry, /loader/entries/NAME.conf. UAPI.1 Boot Loader Specification, "Type #1 … Entry Keys". */
export interface BootEntry {
  readonly title?: string;
  readonly version?: string;
  /** 32 lower-case hexadecimal digits. */
  readonly machineId?: string;
  readonly sortKey?: string;
  /** Paths from the root of the file system that the entry is on. */
  readonly linux?: string;
  readonly initrds?: readonly string[];
  readonly efi?: string;
  /** A unified kernel image; systemd-boot 258. */
  readonly uki?: string;
  readonly ukiUrl?: string;
  /** Number of the profile in that image; systemd-boot 259. */
  readonly profile?: string;
  /** Addons, credentials and extensions; systemd-boot 261. */
  readonly extras?: readonly string[];
  /** Parts of the command line, joined with blanks. */
  readonly options?: readonly string[];
  readonly devicetree?: string;
  readonly devicetreeOverlays?: readonly string[];
  /** 'x64', 'aa64', … */
  readonly architecture?: string;
  /** Keys that are not known here; a boot loader passes them over. */
  readonly further?: readonly ConfigLine[];
}

const SINGLE = [
  ['title', 'title'],
  ['version', 'version'],
  ['machine-id', 'machineId'],
  ['sort-key', 'sortKey'],
  ['linux', 'linux'],
  ['efi', 'efi'],
  ['uki', 'uki'],
  ['uki-url', 'ukiUrl'],
  ['profile', 'profile'],
  ['devicetree', 'devicetree'],
  ['architecture', 'architecture'],
] as const;

const REPEATED = [
  ['initrd', 'initrds'],
  ['extra', 'extras'],
  ['options', 'options'],
] as const;

/** What the entry starts: exactly one of them. */
const STARTED = ['linux', 'efi', 'uki', 'uki-url'];
const PATHS: readonly string[] = ['linux', 'initrd', 'efi', 'uki', 'extra', 'devicetree'];

/**
 * A type #1 boot entry. Stricter than systemd-boot where that hides a mistake: a key that may stand once stands once, there
 * is one thing to start, and paths are absolute.
 * @throws {PeError} 'bls_malformed' with line and column, 'limit'.
 */
export function parseBootEntry(text: string): BootEntry {
  const lines = parseConfigLines(text);
  const entry: { -readonly [K in keyof BootEntry]: BootEntry[K] } = {};
  const further: ConfigLine[] = [];
  for (const line of lines) {
    const { key, value } = line;
    requireValue(line);
    const single = SINGLE.find(([name]) => name === key)?.[1];
    const repeated = REPEATED.find(([name]) => name === key)?.[1];
    if (single !== undefined) {
      if (entry[single] !== undefined) throw configError(`expected '${key}' once`, line.line, 1);
      entry[single] = value;
    } else if (repeated !== undefined) {
      entry[repeated] = [...(entry[repeated] ?? []), value];
    } else if (key === 'devicetree-overlay') {
      entry.devicetreeOverlays = value.split(/\s+/);
    } else {
      further.push(line);
    }
  }
  if (further.length > 0) entry.further = further;
  const started = lines.filter(({ key }) => STARTED.includes(key));
  const second = started[1];
  if (second !== undefined) throw configError(`expected one of ${STARTED.join(', ')}, found a second`, second.line, 1);
  if (started.length === 0) throw configError(`expected one of ${STARTED.join(', ')}, found none`, 1, 1);
  return entry;
}

function requireValue({ key, value, line, column }: ConfigLine): void {
  if (PATHS.includes(key) && (!value.startsWith('/') || value.split('/').includes('..'))) {
    throw configError(
      `expected in '${key}' a path from the root without '..', found '${value.slice(0, 80)}'`,
      line,
      column,
    );
  }
  if (key === 'machine-id' && !/^[0-9a-f]{32}$/.test(value)) {
    throw configError(`expected 32 lower-case hexadecimal digits, found '${value.slice(0, 80)}'`, line, column);
  }
  if (key === 'profile' && !/^[0-9]{1,9}$/.test(value)) {
    throw configError(`expected a number of a profile, found '${value.slice(0, 80)}'`, line, column);
  }
}

/**
 * The text of an entry, keys in the order of the specification.
 * @throws {PeError} 'options_invalid' for a value that does not keep, or an entry that parseBootEntry would refuse.
 */
export function formatBootEntry(entry: BootEntry): string {
  const one = (key: string, value: string | undefined): string =>
    value === undefined ? '' : formatConfigLine(key, value);
  const all = (key: string, values: readonly string[] = []): string =>
    values.map((value) => formatConfigLine(key, value)).join('');
  const overlays = entry.devicetreeOverlays;
  const text = [
    ...SINGLE.slice(0, 5).map(([key, name]) => one(key, entry[name])),
    all('initrd', entry.initrds),
    ...SINGLE.slice(5, 9).map(([key, name]) => one(key, entry[name])),
    all('extra', entry.extras),
    all('options', entry.options),
    one('devicetree', entry.devicetree),
    overlays === undefined || overlays.length === 0 ? '' : one('devicetree-overlay', overlays.join(' ')),
    one('architecture', entry.architecture),
    ...(entry.further ?? []).map(({ key, value }) => formatConfigLine(key, value)),
  ].join('');
  try {
    parseBootEntry(text);
  } catch (cause) {
    if (!(cause instanceof PeError)) throw cause;
    throw new PeError('options_invalid', `expected a boot entry that can be read: ${cause.message}`, { cause });
  }
  return text;
}
