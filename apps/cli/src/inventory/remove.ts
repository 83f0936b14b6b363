// SPDX-License-Identifier: Apache-2.0
import { actVerb } from '../service/act-verb.ts';

export const remove = actVerb({
  description: 'Takes a registration back. A machine that has joined by it stays.',
  operand: ['ID', 'of the registration, as inventory list shows it'],
  example: 'inventory remove ID',
  method: 'DELETE',
  path: (id) => `/v1/inventory/${id}`,
  state: 'removed',
});
