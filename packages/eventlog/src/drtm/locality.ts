// SPDX-License-Identifier: Apache-2.0

/** Which localities may extend, and which may reset, a PCR of a dynamic launch. */
export interface LocalityRule {
  readonly extend: readonly number[];
  readonly reset: readonly number[];
}

/**
 * PCR 17 to 22. PC Client Platform TPM Profile, PCR attributes. PCR 17 is also extended by the hash sequence
 * at locality 4 (_TPM_Hash_Start, _Data, _End), which resets all six: software cannot.
 */
const RULES: Readonly<Record<number, LocalityRule>> = {
  17: { extend: [2, 3, 4], reset: [4] },
  18: { extend: [2, 3, 4], reset: [4] },
  19: { extend: [2, 3], reset: [4] },
  20: { extend: [1, 2, 3], reset: [2, 4] },
  21: { extend: [2], reset: [2, 4] },
  22: { extend: [2], reset: [2, 4] },
};

/** The rule of a PCR of a dynamic launch, undefined for all others. */
export function localityRule(pcr: number): LocalityRule | undefined {
  return RULES[pcr];
}

/**
 * Whether an extension at that locality can have happened. The operating system has locality 0 and nothing else: without a
 * dynamic launch no software can extend any of PCR 17 to 22.
 */
export function mayExtend(pcr: number, locality: number): boolean {
  return RULES[pcr]?.extend.includes(locality) ?? true;
}

/** What the value of PCR 17 says, whatever a log says. */
export type LaunchState =
  /** Ones: TPM2_Startup, and no launch since. */
  | 'none'
  /** Zeros: reset, and nothing measured; no launch leaves that. */
  | 'reset'
  | 'launched';

/** A44: no claim of a dynamic launch stands against PCR 17 of a quote that shows none. */
export function launchState(pcr17: Uint8Array): LaunchState {
  if (pcr17.every((octet) => octet === 0xff)) return 'none';
  return pcr17.every((octet) => octet === 0) ? 'reset' : 'launched';
}
