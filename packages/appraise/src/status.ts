// SPDX-License-Identifier: Apache-2.0

/**
 * The tiers of draft-ietf-rats-ar4si that a boot can have. 'affirming': the policy permits it, and nothing is left open.
 * 'warning': the policy permits it, knowing what is left open. 'contraindicated': something is wrong, or not permitted.
 */
export type VerdictStatus = 'affirming' | 'warning' | 'contraindicated';
