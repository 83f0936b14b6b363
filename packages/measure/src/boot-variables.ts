// SPDX-License-Identifier: Apache-2.0
import type { Bank, PredictedEvent } from '@vouchsafe/manifest';
import { EFI_GLOBAL_VARIABLE } from '@vouchsafe/pe';
import { digestsOf } from './digests.ts';
import { type FirmwareVariable, variableData } from './secure-boot-events.ts';

/**
 * PCR 1, as far as boot entries are in the variable store: BootOrder, then each entry in that order, EV_EFI_VARIABLE_BOOT,
 * of which the value alone is measured. PFP 1.06, section 3.3.4.2; EDK II, Tcg2Dxe.c (MeasureAllBootVariables). A store in
 * which the firmware has not booted has none: firmware makes its own then, by what it finds plugged in.
 */
export function predictBootVariables(banks: readonly Bank[], variables: readonly FirmwareVariable[]): PredictedEvent[] {
  const order = variableData(variables, 'BootOrder', EFI_GLOBAL_VARIABLE);
  if (order === undefined || order.length % 2 !== 0) return [];
  const view = new DataView(order.buffer, order.byteOffset, order.length);
  const names = Array.from({ length: order.length / 2 }, (_, i) => {
    const number = view
      .getUint16(2 * i, true)
      .toString(16)
      .toUpperCase()
      .padStart(4, '0');
    return `Boot${number}`;
  });
  const entries = names.flatMap((name) => {
    const data = variableData(variables, name, EFI_GLOBAL_VARIABLE);
    return data === undefined ? [] : [{ name, data }];
  });
  return [{ name: 'BootOrder', data: order }, ...entries].map(({ name, data }) => ({
    pcr: 1,
    description: name === 'BootOrder' ? 'the order of the boot entries' : `the boot entry ${name}`,
    origin: { artefact: `variable ${name}` },
    digests: digestsOf(banks, data),
  }));
}
