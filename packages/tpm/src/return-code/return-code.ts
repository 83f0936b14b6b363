// SPDX-License-Identifier: Apache-2.0
import { TpmError } from '../error.ts';
import { FORMAT_ONE, FORMAT_ZERO, type ReturnCodeTable, WARNING } from './table.ts';

/** What an error of format one is about; `index` counts from 1, and is absent where the TPM does not say which. */
export interface ReturnCodeSubject {
  readonly kind: 'handle' | 'parameter' | 'session';
  readonly index?: number;
}

/** A TPM_RC taken apart. TPM 2.0 Library, Part 2, section 6.6.2. */
export interface ReturnCode {
  /** The whole 32-bit value. */
  readonly value: number;
  /** 'TPM_RC_VALUE'; for a code without a name here 'TPM_RC_0x…', for a vendor's 'TPM_RC_VENDOR_0x…'. */
  readonly name: string;
  /** What it says, in words. */
  readonly text: string;
  readonly isWarning: boolean;
  readonly subject?: ReturnCodeSubject;
  /** Set by software above the TPM: the resource manager or a TSS layer, bits 16 to 23. */
  readonly layer?: number;
}

/** A response code other than success, from a TPM or the software in front of it. */
export class TpmResponseError extends TpmError {
  override readonly name = 'TpmResponseError';
  readonly returnCode: ReturnCode;

  /** @param command what was asked of the TPM, as the specification names it: 'TPM2_Quote'. */
  constructor(command: string, returnCode: ReturnCode) {
    super('response_code', `${command}: ${formatReturnCode(returnCode)}`);
    this.returnCode = returnCode;
  }
}

const hex = (n: number): string => `0x${n.toString(16).padStart(3, '0')}`;

function named(table: ReturnCodeTable, number: number, value: number): { name: string; text: string } {
  const [name, text] = table[number] ?? [hex(value), 'a code that the specification does not define'];
  return { name: `TPM_RC_${name}`, text };
}

/** Format one: bit 6 P, bits 8 to 11 N. Part 2, section 6.6.2, table of the format-one layout. */
function subjectOf(code: number): ReturnCodeSubject {
  const n = (code >> 8) & 0xf;
  const isParameter = (code & 0x40) !== 0;
  const kind = isParameter ? 'parameter' : n >= 8 ? 'session' : 'handle';
  const index = isParameter ? n : n & 0x7;
  return index === 0 ? { kind } : { kind, index };
}

/**
 * Takes any 32-bit response code apart; 0 is 'TPM_RC_SUCCESS'.
 * @param value as in the response header, big-endian there.
 */
export function decodeReturnCode(value: number): ReturnCode {
  const code = value & 0xffff;
  const layer = (value >>> 16) & 0xff;
  const base = { value, isWarning: false, ...(layer === 0 ? {} : { layer }) };
  if (code === 0) return { ...base, name: 'TPM_RC_SUCCESS', text: 'success' };
  // Bit 7 is F: format one.
  if ((code & 0x80) !== 0) return { ...base, ...named(FORMAT_ONE, code & 0x3f, value), subject: subjectOf(code) };
  // Bit 10 is T: defined by the vendor.
  if ((code & 0x400) !== 0) {
    return { ...base, name: `TPM_RC_VENDOR_${hex(code)}`, text: "a code of the TPM's vendor" };
  }
  // Bit 8 is V: without it the code is a TPM 1.2's, which answers so to a tag that it does not know.
  if ((code & 0x100) === 0) {
    const isBadTag = code === 0x1e;
    const text = isBadTag ? 'a TPM 1.2 does not know the tag' : 'a code of TPM 1.2';
    return { ...base, name: isBadTag ? 'TPM_RC_BAD_TAG' : `TPM_RC_${hex(code)}`, text };
  }
  // Bit 11 is S: a warning.
  const isWarning = (code & 0x800) !== 0;
  return { ...base, ...named(isWarning ? WARNING : FORMAT_ZERO, code & 0x7f, value), isWarning };
}

/** For messages: 'TPM_RC_VALUE (0x2c4), parameter 2: the value is out of range or wrong in this context'. */
export function formatReturnCode({ value, name, text, subject, layer }: ReturnCode): string {
  const about =
    subject === undefined ? '' : `, ${subject.kind}${subject.index === undefined ? '' : ` ${subject.index}`}`;
  return `${name} (${hex(value)}${layer === undefined ? '' : `, from software layer ${layer}`})${about}: ${text}`;
}
