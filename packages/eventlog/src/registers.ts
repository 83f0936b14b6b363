// SPDX-License-Identifier: Apache-2.0
import type { LogEvent } from './event.ts';
import type { BootLog } from './log.ts';

/** The highest measurement register of a TDX guest, RTMR 3, counted as its logs do. */
const LAST_REGISTER = 4;

/**
 * Whether a firmware log is that of a TDX guest: ACPI's CCEL. Its registers are MRTD (0) and RTMR 0 to 3, counted from 1, in
 * SHA-384 alone; its header is for RTMR 0, where a TPM's is for PCR 0. Nothing else in the log tells. A canonical log says so.
 */
export function isTdxLog(log: BootLog): boolean {
  if (log.kind === 'cel') return log.isConfidential;
  if (log.kind !== 'tcg' || log.format !== 'agile') return false;
  return log.banks.length === 1 && log.banks[0] === 'sha384' && log.events[0]?.pcr === 1;
}

/** What to call the register of an event: 'PCR 4', 'RTMR 0', 'NV hardware'. */
export function registerName(event: LogEvent, isTdx = false): string {
  if (event.pcr === undefined) return `NV ${event.nvName ?? `0x${(event.nvIndex ?? 0).toString(16)}`}`;
  if (!isTdx || event.pcr > LAST_REGISTER) return `PCR ${event.pcr}`;
  return event.pcr === 0 ? 'MRTD' : `RTMR ${event.pcr - 1}`;
}
