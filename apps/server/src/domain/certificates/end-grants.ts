// SPDX-License-Identifier: Apache-2.0
import type { Rows } from '../../store/rows.ts';

/**
 * What a device has been granted ends now, in the transaction of what ended it. 'identity': its keys are not known any more
 * either, and it begins anew.
 */
export async function endGrants(tx: Rows, deviceId: string, nowMs: number, what: 'trust' | 'identity'): Promise<void> {
  const authorities = what === 'trust' ? (['client'] as const) : (['client', 'attestation'] as const);
  await tx.certificates.revokeAll(deviceId, authorities, nowMs, 'privilegeWithdrawn');
  if (what === 'identity') await tx.deviceKeys.removeOf(deviceId);
}
