// SPDX-License-Identifier: Apache-2.0
import { concatBytes } from '@vouchsafe/base';
import { TpmError } from './error.ts';
import { tpmDigest, tpmHashSize } from './hash.ts';
import { formatPcrSelection, type PcrSelection } from './pcr-selection.ts';
import { formatBank, isTpmHash, type TpmBank, type TpmHash } from './structures/algorithm.ts';

/** One register's contents. */
export interface PcrValue {
  readonly bank: TpmBank;
  readonly pcr: number;
  readonly value: Uint8Array;
}

/** Values accepted in one list: every PCR of every bank a TPM could have. */
const MAX_VALUES = 16 * 32;

/**
 * The values of exactly the selected PCRs, in the order that a TPM hashes them: selections as listed, PCRs ascending
 * (TPM 2.0 Library, Part 1, section 17.5, Selecting Multiple PCR). What is not selected is left out, so that nobody takes it for quoted.
 * @throws {TpmError} 'pcr_value_repeated', also for more values than there can be PCRs; 'pcr_value_missing', 'pcr_value_size'
 */
export function selectPcrValues(selections: readonly PcrSelection[], values: readonly PcrValue[]): PcrValue[] {
  const banks = indexed(values);
  const selected: PcrValue[] = [];
  for (const { bank, pcrs } of selections) {
    const size = isTpmHash(bank) ? tpmHashSize(bank) : undefined;
    const sent = banks.get(bank);
    for (const pcr of pcrs) {
      const found = sent?.get(pcr);
      if (found === undefined) {
        const where = placeOf(bank, pcr);
        throw new TpmError('pcr_value_missing', `expected a value of ${where}, found none; send all quoted PCRs`);
      }
      if (size !== undefined && found.value.length !== size) {
        const message = `expected ${size} octets as the value of ${placeOf(bank, pcr)}, found ${found.value.length}`;
        throw new TpmError('pcr_value_size', message);
      }
      selected.push(found);
    }
  }
  return selected;
}

const placeOf = (bank: TpmBank, pcr: number): string => `PCR ${pcr} in ${formatBank(bank)}`;

/** The values of each bank by the numbers of their PCRs. */
function indexed(values: readonly PcrValue[]): ReadonlyMap<TpmBank, ReadonlyMap<number, PcrValue>> {
  if (values.length > MAX_VALUES) {
    throw new TpmError('pcr_value_repeated', `expected at most ${MAX_VALUES} PCR values, found ${values.length}`);
  }
  const banks = new Map<TpmBank, Map<number, PcrValue>>();
  for (const value of values) {
    const { bank, pcr } = value;
    let sent = banks.get(bank);
    if (sent === undefined) {
      sent = new Map();
      banks.set(bank, sent);
    }
    // Two values, even equal ones, leave open which one a later reader takes.
    if (sent.has(pcr)) {
      throw new TpmError('pcr_value_repeated', `expected one value of ${placeOf(bank, pcr)}, found two`);
    }
    sent.set(pcr, value);
  }
  return banks;
}

/**
 * The digest over the selected PCRs: TPMS_QUOTE_INFO.pcrDigest and TPM2_PolicyPCR's pcrDigest. TPM 2.0 Library, Part 1,
 * section 17.5 (Selecting Multiple PCR).
 * @param hash the signing scheme's hash in a quote, the policy's hash in a policy
 * @throws as `selectPcrValues`; {TpmError} 'algorithm_unsupported'
 */
export function pcrDigestOf(
  hash: TpmHash,
  selections: readonly PcrSelection[],
  values: readonly PcrValue[],
): Uint8Array {
  if (selections.length === 0) {
    throw new TpmError('argument_invalid', `expected a selection of PCRs, found '${formatPcrSelection(selections)}'`);
  }
  return tpmDigest(hash, concatBytes(...selectPcrValues(selections, values).map(({ value }) => value)));
}
