// SPDX-License-Identifier: Apache-2.0
import { actVerb } from '../service/act-verb.ts';

export const approve = actVerb({
  description: 'Lets a machine in that has proved who it is and waits, or that is quarantined.',
  operand: ['DEVICE', 'as device list shows it'],
  example: 'device approve web-1',
  method: 'POST',
  path: (id) => `/v1/devices/${id}/approve`,
  state: 'approved',
});
