// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { formatBank, isTpmHash, PCR_COUNT, type PcrSelection, type PcrValue } from '@vouchsafe/tpm';
import { InvalidArgumentError } from '../arguments/invalid-argument-error.ts';

/** 'sha256:0,7,11', several with + between; without a bank it is sha256. As tpm2-tools writes selections. */
export function pcrSelections(text: string): readonly PcrSelection[] {
  const selections = text.split('+').map((part) => {
    const [list = '', bank = 'sha256'] = part.split(':').reverse();
    if (!isTpmHash(bank) || part.split(':').length > 2) {
      throw new InvalidArgumentError('Expected PCRs as sha256:0,7,11, with + between banks.');
    }
    const pcrs = list === 'all' ? Array.from({ length: PCR_COUNT }, (_, pcr) => pcr) : list.split(',').map(pcrNumber);
    return { bank, pcrs: [...new Set(pcrs)].sort((a, b) => a - b) };
  });
  if (new Set(selections.map(({ bank }) => bank)).size !== selections.length) {
    throw new InvalidArgumentError('Expected each bank once.');
  }
  return selections;
}

function pcrNumber(text: string): number {
  const pcr = Number(text);
  if (!/^[0-9]{1,2}$/.test(text) || pcr >= PCR_COUNT) throw new InvalidArgumentError('Expected PCRs from 0 to 23.');
  return pcr;
}

/** The same shape as `log replay --json` and `pcr predict --json` have. */
export function pcrsDocument(values: readonly PcrValue[]): Record<string, Record<string, string>> {
  const banks: Record<string, Record<string, string>> = {};
  for (const { bank, pcr, value } of values) {
    const name = formatBank(bank);
    banks[name] = { ...banks[name], [pcr]: toHex(value) };
  }
  return banks;
}

/** As tpm2_pcrread prints them. */
export function pcrsText(values: readonly PcrValue[]): string {
  return Object.entries(pcrsDocument(values))
    .map(([bank, pcrs]) =>
      [`  ${bank}:`, ...Object.entries(pcrs).map(([pcr, hex]) => `    ${pcr.padEnd(2)}: 0x${hex.toUpperCase()}`)].join(
        '\n',
      ),
    )
    .join('\n');
}
