// SPDX-License-Identifier: Apache-2.0

/** What a canonical log says about itself: content type 'cel'. TCG Canonical Event Log Format 1.1, section 4.4. */
export type CelManagement =
  | { readonly kind: 'version'; readonly major: number; readonly minor: number }
  /** The firmware has handed over: what follows, it did not measure. */
  | { readonly kind: 'firmwareEnd' }
  /** As recorded: the specification names two units for it, seconds and milliseconds. */
  | { readonly kind: 'timestamp'; readonly time: bigint }
  | { readonly kind: 'stateTransition'; readonly state: CelState };

/** The types of management content, TPMI_CELMGTTYPE. Version and end of the firmware are not measured, the others are. */
export const CEL_MANAGEMENT = { cel_version: 1, firmware_end: 2, cel_timestamp: 80, state_trans: 81 } as const;

/** TPMI_STATE_TRANS, in the order of their numbers, from 0. */
export const CEL_STATES = ['suspend', 'hibernate', 'kexec'] as const;
export type CelState = (typeof CEL_STATES)[number];

/** Whether a record with that content was extended. */
export function isMeasured({ kind }: CelManagement): boolean {
  return kind === 'timestamp' || kind === 'stateTransition';
}
