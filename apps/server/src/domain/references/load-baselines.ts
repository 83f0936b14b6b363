// SPDX-License-Identifier: Apache-2.0
import type { FirmwareBaseline } from '@vouchsafe/appraise';
import type { Rows } from '../../store/rows.ts';

/** Those that an operator has approved; the newest where there are more than are compared with. */
const MAX_BASELINES = 256;

export async function loadBaselines(rows: Rows): Promise<FirmwareBaseline[]> {
  const active = (await rows.references.baselines()).filter(({ life }) => life === 'active');
  return active.slice(-MAX_BASELINES).map(({ body }) => JSON.parse(body) as FirmwareBaseline);
}
