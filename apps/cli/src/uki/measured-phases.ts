// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import type { Bank } from '@vouchsafe/manifest';
import { predictPcr11 } from '@vouchsafe/measure';
import type { PeFile } from '@vouchsafe/pe';

export interface MeasureOptions {
  readonly pcrBanks?: readonly Bank[];
  readonly phases?: readonly (readonly string[])[];
}

/**
 * PCR 11 of an image, phase by phase: lines as `systemd-measure calculate` and `ukify --measure` print them, and the same
 * as a document.
 * @throws {MeasureError}
 */
export function measuredPhases(uki: PeFile, { pcrBanks: banks = ['sha256'], phases }: MeasureOptions) {
  const values = predictPcr11(uki, { banks, ...(phases === undefined ? {} : { phases: phases.flat() }) });
  const paths = [...new Set(values.map(({ phase }) => phase))];
  const of = (path: string) => values.filter(({ phase }) => phase === path);
  return {
    lines: paths.flatMap((path) => [
      `# PCR[11] Phase <${path === '' ? ':' : path}>`,
      ...of(path).map(({ bank, value }) => `11:${bank}=${toHex(value)}`),
    ]),
    document: paths.map((phase) => ({
      phase,
      pcrs: Object.fromEntries(of(phase).map(({ bank, value }) => [bank, { 11: toHex(value) }])),
    })),
  };
}
