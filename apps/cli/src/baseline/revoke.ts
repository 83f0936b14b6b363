// SPDX-License-Identifier: Apache-2.0
import { actVerb } from '../service/act-verb.ts';

export const revoke = actVerb({
  description: 'Takes firmware that measures this for good no longer.',
  operand: ['SHA256', 'of the baseline, as baseline list shows it'],
  example: 'baseline revoke SHA256',
  method: 'POST',
  path: (sha256) => `/v1/baselines/${sha256}/revoke`,
  state: 'revoked',
});
