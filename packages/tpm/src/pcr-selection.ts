// SPDX-License-Identifier: Apache-2.0
import { TpmError } from './error.ts';
import { formatBank, type TpmBank } from './structures/algorithm.ts';
import type { TpmsPcrSelection } from './structures/pcr.ts';

/** PCRs of one bank, by number, ascending. */
export interface PcrSelection {
  readonly bank: TpmBank;
  readonly pcrs: readonly number[];
}

/** PCRs of a PC Client TPM: 0 to 23. PC Client Platform TPM Profile (PCR Attributes). */
export const PCR_COUNT = 24;
/** Octets of the bit map that PC Client TPMs write, and the least they take. */
const SELECT_BYTES = PCR_COUNT / 8;

/** The PCRs whose bits are set. TPM 2.0 Library, Part 2, section 10.6.1: bit n of octet m is PCR 8m + n. */
export function decodePcrSelection({ hash, pcrSelect }: TpmsPcrSelection): PcrSelection {
  const pcrs: number[] = [];
  for (let pcr = 0; pcr < pcrSelect.length * 8; pcr++) {
    if (((pcrSelect[pcr >> 3] as number) & (1 << (pcr & 7))) !== 0) pcrs.push(pcr);
  }
  return { bank: hash, pcrs };
}

/**
 * The wire form, with a bit map of three octets, as TPMs and tpm2-tools write it; it goes into policy digests.
 * @throws {TpmError} 'argument_invalid' for a PCR outside 0 to 23
 */
export function encodePcrSelection({ bank, pcrs }: PcrSelection): TpmsPcrSelection {
  const pcrSelect = new Uint8Array(SELECT_BYTES);
  for (const pcr of pcrs) {
    if (!Number.isInteger(pcr) || pcr < 0 || pcr >= PCR_COUNT) {
      throw new TpmError('argument_invalid', `expected PCRs from 0 to ${PCR_COUNT - 1}, found ${pcr}`);
    }
    pcrSelect[pcr >> 3] = (pcrSelect[pcr >> 3] as number) | (1 << (pcr & 7));
  }
  return { hash: bank, pcrSelect };
}

/** 'sha256:0,1,7+sha1:10', the form of tpm2-tools. */
export function formatPcrSelection(selections: readonly PcrSelection[]): string {
  return selections.map(({ bank, pcrs }) => `${formatBank(bank)}:${pcrs.join(',')}`).join('+');
}
