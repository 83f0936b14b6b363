// SPDX-License-Identifier: Apache-2.0
import { actVerb } from '../service/act-verb.ts';

export const remove = actVerb({
  description: 'Shuts an operator out, at once.',
  operand: ['ID', 'of the operator, as operator list shows it'],
  example: 'operator remove ID',
  method: 'DELETE',
  path: (id) => `/v1/operators/${id}`,
  state: 'removed',
});
