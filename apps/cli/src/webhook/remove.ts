// SPDX-License-Identifier: Apache-2.0
import { actVerb } from '../service/act-verb.ts';

export const remove = actVerb({
  description: 'Tells somebody of events no longer.',
  operand: ['ID', 'as webhook list shows it'],
  example: 'webhook remove ID',
  method: 'DELETE',
  path: (id) => `/v1/webhooks/${id}`,
  state: 'removed',
});
