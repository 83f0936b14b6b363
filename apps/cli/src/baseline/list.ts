// SPDX-License-Identifier: Apache-2.0
import { type FirmwareBaselineRecord, firmwareBaselines } from '@vouchsafe/protocol';
import { listVerb } from '../service/list-verb.ts';

export const list = listVerb<FirmwareBaselineRecord>({
  description: 'Lists what the firmware of each model measures, as far as it is known and approved.',
  example: 'baseline list',
  schema: firmwareBaselines,
  path: '/v1/baselines',
  heading: ['NAME', 'LIFE', 'VENDOR', 'MODEL', 'FIRMWARE', 'EVENTS', 'LEARNED FROM', 'SHA-256'],
  row: (item) => [
    item.name,
    item.life,
    item.vendor,
    item.model,
    item.firmwareVersion,
    String(item.events),
    item.learnedFrom ?? '',
    item.sha256,
  ],
  none: 'no baselines yet; see baseline learn',
});
