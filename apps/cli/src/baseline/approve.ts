// SPDX-License-Identifier: Apache-2.0
import { actVerb } from '../service/act-verb.ts';

export const approve = actVerb({
  description: 'Takes firmware that measures this for good.',
  operand: ['SHA256', 'of the baseline, as baseline list shows it'],
  example: 'baseline approve SHA256',
  method: 'POST',
  path: (sha256) => `/v1/baselines/${sha256}/approve`,
  state: 'active',
});
