// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import type { Bank } from '@vouchsafe/manifest';
import { type Pcr11Value, pcrPolicyOf, predictPcr11, type SectionChoice } from '@vouchsafe/measure';
import type { PeFile } from '@vouchsafe/pe';
import { machineChoices } from './machine-choices.ts';

export interface MeasureOptions {
  readonly pcrBanks?: readonly Bank[];
  readonly phases?: readonly (readonly string[])[];
}

/** What one kind of machine makes of an image. */
interface Prediction {
  readonly choice: SectionChoice;
  readonly values: readonly Pcr11Value[];
}

/**
 * PCR 11 of an image, phase by phase: lines as `systemd-measure calculate` and `ukify --measure` print them, and the same
 * as a document. Where the machine chooses among device trees or firmware, for each that it can choose.
 * @throws {MeasureError}
 */
export function measuredPhases(uki: PeFile, options: MeasureOptions) {
  const found = predictions(uki, options);
  return {
    lines: found.flatMap(({ choice, values }) => [
      ...choiceLines(choice, found.length),
      ...phasesOf(values).flatMap(({ phase, inBanks }) => [
        `# PCR[11] Phase <${phase === '' ? ':' : phase}>`,
        ...inBanks.map(({ bank, value }) => `11:${bank}=${toHex(value)}`),
      ]),
    ]),
    document: found.flatMap(({ choice, values }) =>
      phasesOf(values).map(({ phase, inBanks }) => ({
        phase,
        ...choiceDocument(choice, found.length),
        pcrs: Object.fromEntries(inBanks.map(({ bank, value }) => [bank, { 11: toHex(value) }])),
      })),
    ),
  };
}

/**
 * The policies of the same values, for a key that is elsewhere to sign: what `ukify --policy-digest` is for.
 * @throws {MeasureError}
 */
export function policyDigests(uki: PeFile, options: MeasureOptions) {
  const found = predictions(uki, options);
  const policies = found.flatMap(({ choice, values }) =>
    values.map((value) => ({
      phase: value.phase,
      bank: value.bank,
      ...choiceDocument(choice, found.length),
      pcrs: [11],
      policy: toHex(pcrPolicyOf(value)),
    })),
  );
  return {
    lines: policies.map(({ bank, phase, policy }) => `policy ${bank} ${phase === '' ? ':' : phase} ${policy}`),
    document: policies,
  };
}

/** One for each kind of machine; those that a stub does not tell apart are one. */
function predictions(uki: PeFile, { pcrBanks: banks = ['sha256'], phases }: MeasureOptions): Prediction[] {
  const found = new Map<string, Prediction>();
  for (const choice of machineChoices(uki, 0)) {
    const values = predictPcr11(uki, { ...choice, banks, ...(phases === undefined ? {} : { phases: phases.flat() }) });
    const key = values.map(({ value }) => toHex(value)).join();
    if (!found.has(key)) found.set(key, { choice, values });
  }
  return [...found.values()];
}

function phasesOf(values: readonly Pcr11Value[]) {
  const paths = [...new Set(values.map(({ phase }) => phase))];
  return paths.map((phase) => ({ phase, inBanks: values.filter((value) => value.phase === phase) }));
}

function choiceLines({ deviceTree, firmware }: SectionChoice, count: number): string[] {
  if (count === 1) return [];
  const said = (place: number | null | undefined): string => (place === null ? 'none' : `${place}`);
  return [`# where .dtbauto ${said(deviceTree)} and .efifw ${said(firmware)} fit the machine`];
}

function choiceDocument({ deviceTree, firmware }: SectionChoice, count: number) {
  return count === 1 ? {} : { deviceTree, firmware };
}
