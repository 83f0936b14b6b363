// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import type { Facts } from '../facts.ts';
import type { AppraisalFinding } from '../finding.ts';
import type { ReplayedBoot } from './replay-boot.ts';

/** What identifies the system: machine id, file systems, volume keys. UAPI Group, Linux TPM PCR Registry. */
const SYSTEM_PCR = 15;

/** PCR 15 of one machine, as it was when an operator vouched for it. Plain data. */
export interface PinnedSystem {
  readonly bank: string;
  /** Lower-case hexadecimal. */
  readonly value: string;
}

/**
 * PCR 15 against what was pinned for this machine. A volume that somebody else has made has another volume key, and so
 * another value, although boot loader, kernel and initrd are the image's own (A48, A49).
 */
export function appraiseSystem(
  { quote, bank }: ReplayedBoot,
  pinned: PinnedSystem | undefined,
): { readonly facts: Facts['system']; readonly findings: readonly AppraisalFinding[] } {
  const value = quote.pcrs.find((quoted) => quoted.bank === bank && quoted.pcr === SYSTEM_PCR)?.value;
  const isMeasured = value?.some((octet) => octet !== 0) ?? true;
  const hex = toHex(value ?? new Uint8Array());
  const isPinned = pinned !== undefined && pinned.bank === bank && pinned.value === hex;
  const where = { artefact: 'quote', pcr: SYSTEM_PCR, bank };
  if (pinned !== undefined && !isPinned) {
    const hint =
      'The root, another volume or the machine id is not the one that was pinned; if it was set up anew, pin it anew';
    const finding = {
      code: 'system_changed',
      severity: 'error',
      where,
      expected: pinned.value,
      actual: hex,
      hint,
    } as const;
    return { facts: { isMeasured, isPinned }, findings: [finding] };
  }
  if (!isMeasured || isPinned) return { facts: { isMeasured, isPinned }, findings: [] };
  const hint = 'PCR 15 names the system’s volumes, and nobody has said that it is this one; pin it for this machine';
  const finding = { code: 'system_unknown', severity: 'warning', where, actual: hex, hint } as const;
  return { facts: { isMeasured, isPinned }, findings: [finding] };
}
