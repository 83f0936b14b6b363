// SPDX-License-Identifier: Apache-2.0
import { PeError } from '../error.ts';
import { type ConfigLine, configError, formatConfigLine, parseConfigLines } from './config-lines.ts';

/** systemd-boot's /loader/loader.conf. systemd, loader.conf(5). */
export interface LoaderConf {
  /** Entries to start, by name; '*' and '?' stand for any, '@saved' for the last one. */
  readonly default?: string;
  /** Preferred where several could be started; systemd-boot 259. */
  readonly preferred?: string;
  /** Seconds, or how the menu behaves. */
  readonly timeout?: number | 'menu-force' | 'menu-hidden' | 'menu-disabled';
  readonly consoleMode?: number | 'auto' | 'max' | 'keep';
  /** Whether the command line can be edited in the menu; with Secure Boot on it cannot be for an image with its own. */
  readonly editor?: boolean;
  readonly autoEntries?: boolean;
  readonly autoFirmware?: boolean;
  readonly autoPoweroff?: boolean;
  readonly autoReboot?: boolean;
  readonly beep?: boolean;
  /** When keys in /loader/keys are enrolled; 'if-safe', on virtual machines only, is the default. */
  readonly secureBootEnroll?: 'off' | 'manual' | 'if-safe' | 'force';
  /** What follows; systemd-boot 258. */
  readonly secureBootEnrollAction?: 'reboot' | 'shutdown';
  /** Seconds to change one's mind; systemd-boot 258. */
  readonly secureBootEnrollTimeoutSec?: number | 'hidden';
  readonly rebootForBitlocker?: boolean;
  readonly logLevel?: string;
  /** Keys that are not known here; systemd-boot passes them over with a message. */
  readonly further?: readonly ConfigLine[];
}

/** What a key's value may be. */
type Kind = 'text' | 'boolean' | readonly string[] | { readonly words: readonly string[]; readonly max: number };

/** systemd-boot counts in 32 bits; a year is more than anybody waits. */
const MAX_SECONDS = 31_536_000;

const KEYS: readonly (readonly [key: string, name: Exclude<keyof LoaderConf, 'further'>, kind: Kind])[] = [
  ['default', 'default', 'text'],
  ['preferred', 'preferred', 'text'],
  ['timeout', 'timeout', { words: ['menu-force', 'menu-hidden', 'menu-disabled'], max: MAX_SECONDS }],
  ['console-mode', 'consoleMode', { words: ['auto', 'max', 'keep'], max: 999 }],
  ['editor', 'editor', 'boolean'],
  ['auto-entries', 'autoEntries', 'boolean'],
  ['auto-firmware', 'autoFirmware', 'boolean'],
  ['auto-poweroff', 'autoPoweroff', 'boolean'],
  ['auto-reboot', 'autoReboot', 'boolean'],
  ['beep', 'beep', 'boolean'],
  ['secure-boot-enroll', 'secureBootEnroll', ['off', 'manual', 'if-safe', 'force']],
  ['secure-boot-enroll-action', 'secureBootEnrollAction', ['reboot', 'shutdown']],
  ['secure-boot-enroll-timeout-sec', 'secureBootEnrollTimeoutSec', { words: ['hidden'], max: MAX_SECONDS }],
  ['reboot-for-bitlocker', 'rebootForBitlocker', 'boolean'],
  ['log-level', 'logLevel', 'text'],
];

/** systemd, src/fundamental/string-util-fundamental.c, parse_boolean. */
const TRUE = ['1', 'yes', 'y', 'true', 't', 'on'];
const FALSE = ['0', 'no', 'n', 'false', 'f', 'off'];

/**
 * loader.conf. A value that systemd-boot would not understand, and so pass over, is an error here; of a key that stands
 * twice the last counts, as there.
 * @throws {PeError} 'bls_malformed' with line and column, 'limit'.
 */
export function parseLoaderConf(text: string): LoaderConf {
  const values: Record<string, unknown> = {};
  const further: ConfigLine[] = [];
  for (const line of parseConfigLines(text)) {
    const [, name, kind] = KEYS.find(([key]) => key === line.key) ?? [];
    if (name === undefined || kind === undefined) further.push(line);
    else values[name] = parseValue(line, kind);
  }
  // Each value was made as its key's kind has it.
  return { ...(values as LoaderConf), ...(further.length === 0 ? {} : { further }) };
}

function parseValue({ key, value, line, column }: ConfigLine, kind: Kind): string | number | boolean {
  const refuse = (expected: string): PeError =>
    configError(`expected ${expected} in '${key}', found '${value.slice(0, 80)}'`, line, column);
  if (kind === 'text') return value;
  if (kind === 'boolean') {
    const word = value.toLowerCase();
    if (TRUE.includes(word)) return true;
    if (FALSE.includes(word)) return false;
    throw refuse('yes or no');
  }
  const isNumeric = !Array.isArray(kind);
  const { words, max } = isNumeric ? (kind as { words: readonly string[]; max: number }) : { words: kind, max: 0 };
  if (words.includes(value)) return value;
  if (isNumeric && /^[0-9]{1,9}$/.test(value) && Number(value) <= max) return Number(value);
  throw refuse(`${isNumeric ? `a number up to ${max} or ` : ''}one of ${words.join(', ')}`);
}

/** @throws {PeError} 'options_invalid' for a value that parseLoaderConf would refuse or read otherwise. */
export function formatLoaderConf(conf: LoaderConf): string {
  const lines = KEYS.flatMap(([key, name]) => {
    const value = conf[name];
    if (value === undefined) return [];
    return [formatConfigLine(key, typeof value === 'boolean' ? (value ? 'yes' : 'no') : `${value}`)];
  });
  const text = [...lines, ...(conf.further ?? []).map(({ key, value }) => formatConfigLine(key, value))].join('');
  try {
    parseLoaderConf(text);
  } catch (cause) {
    if (!(cause instanceof PeError)) throw cause;
    throw new PeError('options_invalid', `expected a loader.conf that can be read: ${cause.message}`, { cause });
  }
  return text;
}
