// SPDX-License-Identifier: Apache-2.0
import { actVerb } from '../service/act-verb.ts';

export const remove = actVerb({
  description: 'Forgets a machine; it would have to join anew.',
  operand: ['DEVICE', 'as device list shows it'],
  example: 'device remove web-1',
  method: 'DELETE',
  path: (id) => `/v1/devices/${id}`,
  state: 'removed',
});
