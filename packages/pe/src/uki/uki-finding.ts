// SPDX-License-Identifier: Apache-2.0
import type { Finding, FindingPlace } from '@vouchsafe/base';
import type { SecureBootFindingCode } from '../authenticode/check-secure-boot.ts';
import type { LayoutFindingCode } from '../read/check-layout.ts';
import type { CommandLineFindingCode } from './command-line-risks.ts';
import type { SbatFindingCode } from './sbat-level.ts';

export type UkiFindingCode =
  | SecureBootFindingCode
  | LayoutFindingCode
  | SbatFindingCode
  | CommandLineFindingCode
  | 'file_malformed' // no file that firmware could load, and why
  | 'not_efi_application' // a PE file of another subsystem
  | 'stub_unknown' // nothing says which stub it is, so rules that depend on it were not applied
  | 'section_missing' // a section that the stub or the boot loader needs
  | 'section_repeated' // a section twice in one profile
  | 'section_unread' // a section that a stub of this version does not know
  | 'section_short' // a section of which the file does not have all octets
  | 'text_malformed' // a section that should be text and is not
  | 'profile_unnamed' // a profile without an ID
  | 'cmdline_missing' // no command line, so the boot loader gives one
  | 'kernel_malformed' // a .linux that is no PE file
  | 'kernel_machine' // a kernel for another machine than the stub's
  | 'kernel_unsigned' // a kernel that firmware does not load by itself
  | 'nx_missing' // no NX_COMPAT, which firmware may ask for
  | 'nx_untrue' // NX_COMPAT for a kernel that has none
  | 'addon_has_kernel' // an addon with a kernel, which stubs pass over
  | 'addon_empty' // an addon that changes nothing
  | 'pcrsig_unusable' // a .pcrsig or .pcrpkey that cannot be read
  | 'pcrsig_alone' // one of .pcrsig and .pcrpkey without the other
  | 'pcrsig_other_key' // no signature of .pcrsig is by the key of .pcrpkey
  | 'pcrsig_invalid'; // a signature of .pcrsig that does not hold

export type UkiFinding = Finding<UkiFindingCode>;

/** The parts of a finding beside what it is and where. */
export interface FindingWords {
  readonly expected?: string;
  readonly actual?: string;
  readonly hint: string;
}

export function finding(
  code: UkiFindingCode,
  severity: Finding['severity'],
  where: FindingPlace,
  words: FindingWords,
): UkiFinding {
  return { code, severity, where, ...words };
}
