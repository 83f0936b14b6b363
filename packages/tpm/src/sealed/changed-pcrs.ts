// SPDX-License-Identifier: Apache-2.0
import { bytesEqual, type Finding, toHex } from '@vouchsafe/base';
import type { PcrValue } from '../pcr-values.ts';
import { formatBank } from '../structures/algorithm.ts';

export type SealFindingCode =
  | 'seal_pcr_changed' // a PCR that is not what the secret was sealed to
  | 'seal_pcr_missing'; // a PCR that this TPM does not have

/** What each PCR is for, in few words. PC Client Platform Firmware Profile; systemd, "TPM2 PCR Measurements". */
const ROLES: Readonly<Record<number, string>> = {
  0: 'firmware code',
  1: 'firmware settings and boot order',
  2: 'code of extension cards',
  3: 'settings of extension cards',
  4: 'boot loader and kernel image',
  5: 'partition table and boot loader settings',
  7: 'Secure Boot state and keys',
  8: 'commands of GRUB',
  9: 'initrd and files that GRUB read',
  10: 'files that IMA measured',
  11: 'unified kernel image and boot phases',
  12: 'command line, credentials and addons that are not in the image',
  13: 'system extensions',
  14: 'keys of shim',
  15: 'machine id, file systems, volume key',
  17: 'dynamic launch',
  18: 'dynamic launch: keys',
};

/**
 * Which of the PCRs that a secret was sealed to are not so now: why it does not open.
 * @param then values that it was sealed to.
 * @param now values as they are.
 */
export function changedPcrs(then: readonly PcrValue[], now: readonly PcrValue[]): Finding<SealFindingCode>[] {
  return then.flatMap(({ bank, pcr, value }): Finding<SealFindingCode>[] => {
    const where = { artefact: 'TPM', pcr, bank: formatBank(bank) };
    const current = now.find((other) => other.bank === bank && other.pcr === pcr)?.value;
    const expected = toHex(value);
    const role = ROLES[pcr];
    const what = role === undefined ? `PCR ${pcr}` : `PCR ${pcr} (${role})`;
    if (current === undefined) {
      const hint = `${what} of bank ${formatBank(bank)} is not there: another TPM, or other banks are switched on in firmware`;
      return [{ code: 'seal_pcr_missing', severity: 'error', where, expected, hint }];
    }
    if (bytesEqual(value, current)) return [];
    const hint = `${what} is not what it was. Compare the boot logs of then and now (log diff), or seal anew if the change is wanted`;
    return [{ code: 'seal_pcr_changed', severity: 'error', where, expected, actual: toHex(current), hint }];
  });
}
