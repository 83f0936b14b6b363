// SPDX-License-Identifier: Apache-2.0
import { UsageError } from '../usage-error.ts';

/** One setting of a configuration file, and where it stands. */
export interface IniSetting {
  /** The group that it stands in, as 'UKI' or 'PCRSignature:initrd'. */
  readonly section: string;
  readonly key: string;
  readonly value: string;
  /** From 1. */
  readonly line: number;
}

const MAX_LINES = 10_000;

/**
 * The settings of an INI file in their order, by the rules that ukify reads its own with (systemd 257, src/ukify/ukify.py,
 * apply_config): `=` between key and value, # begins a comment at the start of a line or after white space, and a line that is
 * indented goes on with the value before.
 * @throws {UsageError} with the line.
 */
export function parseIni(text: string, label: string): IniSetting[] {
  const settings: IniSetting[] = [];
  let section: string | undefined;
  const lines = text.split(/\r?\n/, MAX_LINES + 1);
  if (lines.length > MAX_LINES) throw new UsageError(`${label}: expected at most ${MAX_LINES} lines`);
  for (const [i, whole] of lines.entries()) {
    const at = `${label}, line ${i + 1}`;
    const content = whole.replace(/(^|\s)#.*$/, '').trimEnd();
    if (content === '') continue;
    const last = settings.at(-1);
    const header = /^\[([^\]]+)\]$/.exec(content)?.[1];
    const [, key, value] = /^([^\s=][^=]*?)\s*=\s*(.*)$/.exec(content) ?? [];
    if (header !== undefined) section = header;
    else if (/^\s/.test(content) && last !== undefined && last.section === section) {
      settings[settings.length - 1] = { ...last, value: `${last.value}\n${content.trim()}` };
    } else if (key === undefined || value === undefined) throw new UsageError(`${at}: expected [SECTION] or KEY=VALUE`);
    else if (section === undefined) throw new UsageError(`${at}: expected a [SECTION] before the first setting`);
    else settings.push({ section, key, value, line: i + 1 });
  }
  return settings;
}
