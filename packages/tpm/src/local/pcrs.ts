// SPDX-License-Identifier: Apache-2.0
import type { CommandOutput } from '../command/command.ts';
import { execute } from '../command/execute.ts';
import { tpm2PcrRead } from '../commands/pcr.ts';
import { TpmError } from '../error.ts';
import { decodePcrSelection, encodePcrSelection, type PcrSelection } from '../pcr-selection.ts';
import type { PcrValue } from '../pcr-values.ts';
import { TpmResponseError } from '../return-code/return-code.ts';
import { formatBank } from '../structures/algorithm.ts';
import type { TpmTransport } from '../transport.ts';

/** What the PCRs held at one moment. */
export interface PcrReading {
  readonly values: readonly PcrValue[];
  /** PCRs that were asked for and that this TPM does not have, such as those of a bank that is not allocated. */
  readonly missing: readonly { readonly bank: PcrSelection['bank']; readonly pcr: number }[];
}

/** A TPM that goes on extending while it is read never gives two equal counters. */
const MAX_ROUNDS = 4;

/**
 * Reads PCRs, 8 at a time as TPMs give them, all of one moment: where the update counter changed meanwhile it reads them
 * again. In the clear and not authenticated: for display, and to go with a quote.
 * @throws {TpmError} 'pcr_value_missing' when they never stand still; as `execute`
 */
export async function readPcrs(tpm: TpmTransport, selection: readonly PcrSelection[]): Promise<PcrReading> {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const reading = await readOnce(tpm, selection);
    if (reading !== undefined) return reading;
  }
  throw new TpmError('pcr_value_missing', `expected PCRs that stand still, found changes in ${MAX_ROUNDS} readings`);
}

/** Undefined when a PCR was extended between two answers. */
async function readOnce(tpm: TpmTransport, selection: readonly PcrSelection[]): Promise<PcrReading | undefined> {
  const values: PcrValue[] = [];
  const missing: { bank: PcrSelection['bank']; pcr: number }[] = [];
  let counter: number | undefined;
  let left = selection.flatMap(({ bank, pcrs }) => pcrs.map((pcr) => ({ bank, pcr })));
  while (left.length > 0) {
    const { bank } = left[0] as (typeof left)[number];
    const pcrs = left.filter((one) => one.bank === bank).map(({ pcr }) => pcr);
    const answer = await readSome(tpm, { bank, pcrs });
    if (answer === undefined) {
      missing.push(...pcrs.map((pcr) => ({ bank, pcr })));
      left = left.filter((one) => one.bank !== bank);
      continue;
    }
    counter ??= answer.pcrUpdateCounter;
    if (counter !== answer.pcrUpdateCounter) return undefined;
    const given = answer.pcrSelectionOut.map(decodePcrSelection).flatMap((one) => (one.bank === bank ? one.pcrs : []));
    const isOnce = new Set(given).size === given.length;
    if (!isOnce || given.length !== answer.pcrValues.length || given.some((pcr) => !pcrs.includes(pcr))) {
      throw new TpmError('response_malformed', `TPM2_PCR_Read: expected values of ${formatBank(bank)}, found others`);
    }
    values.push(...given.map((pcr, i) => ({ bank, pcr, value: (answer.pcrValues[i] as Uint8Array).slice() })));
    // A TPM that gives none of those it is asked for does not have them.
    if (given.length === 0) missing.push(...pcrs.map((pcr) => ({ bank, pcr })));
    left = left.filter((one) => one.bank !== bank || (given.length > 0 && !given.includes(one.pcr)));
  }
  return { values: inOrder(selection, values), missing };
}

/** Undefined when the TPM does not know the bank's hash at all. */
async function readSome(
  tpm: TpmTransport,
  selection: PcrSelection,
): Promise<CommandOutput<typeof tpm2PcrRead> | undefined> {
  try {
    return await execute(tpm, tpm2PcrRead, { pcrSelectionIn: [encodePcrSelection(selection)] });
  } catch (error) {
    if (error instanceof TpmResponseError && error.returnCode.name === 'TPM_RC_HASH') return undefined;
    throw error;
  }
}

function inOrder(selection: readonly PcrSelection[], values: readonly PcrValue[]): PcrValue[] {
  return selection.flatMap(({ bank, pcrs }) =>
    [...pcrs]
      .sort((a, b) => a - b)
      .flatMap((pcr) => values.filter((value) => value.bank === bank && value.pcr === pcr)),
  );
}
