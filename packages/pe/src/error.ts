// SPDX-License-Identifier: Apache-2.0
import { VouchsafeError } from '@vouchsafe/base';

export type PeErrorCode =
  | 'not_pe' // no MZ or PE signature where a PE file has one
  | 'header_malformed' // a header with a field that it cannot have
  | 'truncated' // the file ends inside a structure
  | 'limit' // a count or size beyond what is accepted here
  | 'section_range' // a section whose data or addresses lie where they cannot
  | 'section_overlap' // two sections, or a section and the headers, share octets of the file
  | 'section_missing' // a section that is needed is not there
  | 'certificate_table' // a certificate table outside the file, not at its end, or lying about lengths
  | 'signature_malformed' // a signature that is not Authenticode
  | 'sbat_malformed' // a text that is not SBAT
  | 'hwids_malformed' // a description of hardware that is not as systemd has them
  | 'bls_malformed' // a boot entry, a loader.conf or a file name against the Boot Loader Specification
  | 'pcrsig_malformed' // a .pcrsig or .pcrpkey that cannot be read
  | 'stub_unsuitable' // a stub that the sections cannot be added to
  | 'signature_list_malformed' // bytes that are not EFI signature lists
  | 'variable_malformed' // bytes that are not an authenticated variable
  | 'store_malformed' // bytes that are not a variable store of EDK II
  | 'store_full' // no room left in the variable store
  | 'options_invalid'; // an argument that cannot be met

/** Where in the input a PeError arose. */
export interface PeErrorPlace extends ErrorOptions {
  /** Octets from the start of the file or value that was given. */
  readonly offset?: number | undefined;
  /** In a text, from 1. */
  readonly line?: number | undefined;
  /** In the line, in characters, from 1. */
  readonly column?: number | undefined;
}

export class PeError extends VouchsafeError<PeErrorCode> {
  override readonly name = 'PeError';
  readonly code: PeErrorCode;
  /** Octets from the start of the file or value that was given. */
  readonly offset: number | undefined;
  /** In a text, from 1. */
  readonly line: number | undefined;
  /** In the line, in characters, from 1. */
  readonly column: number | undefined;

  constructor(code: PeErrorCode, message: string, place: PeErrorPlace = {}) {
    const { offset, line, column, ...options } = place;
    super(`${message}${formatPlace(place)}`, options);
    this.code = code;
    this.offset = offset;
    this.line = line;
    this.column = column;
  }
}

function formatPlace({ offset, line, column }: PeErrorPlace): string {
  if (offset !== undefined) return ` (at 0x${offset.toString(16)})`;
  if (line === undefined) return '';
  return ` (line ${line}${column === undefined ? '' : `, column ${column}`})`;
}
