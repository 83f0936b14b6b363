// SPDX-License-Identifier: Apache-2.0
import type { DeviceState } from '@vouchsafe/protocol';
import type { DeviceRow } from '../../store/rows/devices.ts';

/** What a device is to others at this moment. The one place that says so: trust ends by itself, whoever notices. */
export function deviceStateOf(
  row: Pick<DeviceRow, 'life' | 'verdict_status' | 'is_trusted' | 'trusted_until_ms'>,
  nowMs: number,
): DeviceState {
  if (row.life === 'quarantined') return 'quarantined';
  if (row.life === 'reset') return 'reset';
  if (row.verdict_status === null || row.trusted_until_ms === null) return 'unknown';
  if (row.trusted_until_ms <= nowMs) return 'stale';
  return row.is_trusted === 1 ? 'trusted' : 'untrusted';
}
