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

const keyOf = (bank: TpmBank, pcr: number): string => `${bank}:${pcr}`;

/**
 * The values of exactly the selected PCRs, in the order that a TPM hashes them: selections as listed, PCRs ascending
 * (TPM 2.0 Library, Part 1, section 17.5, Selecting Multiple PCR). What is not selected is left out, so that nobody takes it for quoted.
 * @throws {TpmError} 'pcr_value_repeated', also for more values than there can be PCRs; 'pcr_value_missing', 'pcr_value_size'
 */
export function selectPcrValues(selections: readonly PcrSelection[], values: readonly PcrValue[]): PcrValue[] {
  if (values.length > MAX_VALUES) {
    throw new TpmError('pcr_value_repeated', `expected at most ${MAX_VALUES} PCR values, found ${values.length}`);
  }
  const byKey = new Map<string, PcrValue>();
  for (const value of values) {
    const key = keyOf(value.bank, value.pcr);
    // Two values, even equal ones, leave open which one a later reader takes.
    if (byKey.has(key)) {
      throw new TpmError(
        'pcr_value_repeated',
        `expected one value of PCR ${value.pcr} in ${formatBank(value.bank)}, found two`,
      );
    }
    byKey.set(key, value);
  }
  return selections.flatMap(({ bank, pcrs }) =>
    pcrs.map((pcr) => {
      const found = byKey.get(keyOf(bank, pcr));
      const where = `PCR ${pcr} in ${formatBank(bank)}`;
      if (found === undefined) {
        throw new TpmError('pcr_value_missing', `expected a value of ${where}, found none; send all quoted PCRs`);
      }
      if (isTpmHash(bank) && found.value.length !== tpmHashSize(bank)) {
        const message = `expected ${tpmHashSize(bank)} octets as the value of ${where}, found ${found.value.length}`;
        throw new TpmError('pcr_value_size', message);
      }
      return found;
    }),
  );
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
