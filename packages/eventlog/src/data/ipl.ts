// SPDX-License-Identifier: Apache-2.0
import type { EventText } from './text.ts';

/** What an EV_IPL text tells of. */
export interface TextMeaning {
  readonly writer: 'grub' | 'shim' | 'systemd';
  readonly what:
    | 'command'
    | 'kernel command line'
    | 'module command line'
    | 'file'
    | 'variable'
    | 'section'
    | 'credentials'
    | 'system extensions'
    | 'configuration extensions'
    | 'load options';
  /** The command, the line, the name of the file, variable or section. */
  readonly argument: string;
}

/**
 * GRUB: grub-core/kern/verifiers.c and lib/tpm.c of 2.04 and later. In what the digest covers the prefix is left out.
 * Debian's and Fedora's older GRUBs write 'grub_cmd ' and 'kernel_cmdline ' likewise.
 */
const GRUB_PREFIXES: readonly (readonly [prefix: string, what: TextMeaning['what']])[] = [
  ['grub_cmd: ', 'command'],
  ['grub_cmd ', 'command'],
  ['kernel_cmdline: ', 'kernel command line'],
  ['kernel_cmdline ', 'kernel command line'],
  ['grub_kernel_cmdline ', 'kernel command line'],
  ['module_cmdline: ', 'module command line'],
];

/** rhboot/shim, mok.c: mirrored variables go to PCR 14 under their name. */
const SHIM_VARIABLES: ReadonlySet<string> = new Set([
  'MokList',
  'MokListX',
  'MokSBState',
  'MokDBState',
  'MokListTrusted',
  'MokPolicy',
  'Shim',
  'SbatLevel',
]);

/** systemd, src/boot/stub.c: names of the archives that the stub makes and measures. */
const STUB_ARCHIVES: Readonly<Record<string, TextMeaning['what']>> = {
  'Credentials initrd': 'credentials',
  'Global credentials initrd': 'credentials',
  'System extension initrd': 'system extensions',
  'Global system extension initrd': 'system extensions',
  'Configuration extension initrd': 'configuration extensions',
  'Global configuration extension initrd': 'configuration extensions',
};

const GRUB_PCRS: ReadonlySet<number> = new Set([8, 9]);
const STUB_PCRS: ReadonlySet<number> = new Set([8, 12, 13]);

/** What an EV_IPL event tells of, by its text and its PCR; undefined where it is not known. */
export function iplMeaning(pcr: number | undefined, { encoding, text }: EventText): TextMeaning | undefined {
  if (encoding === 'utf-16le') return stubMeaning(pcr, text);
  for (const [prefix, what] of GRUB_PREFIXES) {
    if (text.startsWith(prefix)) return { writer: 'grub', what, argument: text.slice(prefix.length) };
  }
  if (SHIM_VARIABLES.has(text)) return { writer: 'shim', what: 'variable', argument: text };
  if (pcr === 9) return { writer: 'grub', what: 'file', argument: text };
  return pcr !== undefined && GRUB_PCRS.has(pcr) ? { writer: 'grub', what: 'command', argument: text } : undefined;
}

function stubMeaning(pcr: number | undefined, text: string): TextMeaning | undefined {
  if (pcr === 11 && text.startsWith('.')) return { writer: 'systemd', what: 'section', argument: text };
  const archive = STUB_ARCHIVES[text];
  if (archive !== undefined) return { writer: 'systemd', what: archive, argument: text };
  // systemd-boot and the stub: the event is the command line itself.
  return pcr !== undefined && STUB_PCRS.has(pcr)
    ? { writer: 'systemd', what: 'load options', argument: text }
    : undefined;
}
