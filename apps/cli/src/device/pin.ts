// SPDX-License-Identifier: Apache-2.0
import { actVerb } from '../service/act-verb.ts';

export const pin = actVerb({
  description:
    'Vouches for PCR 15 of the last boot of a machine: its root, its volumes, its machine id. Another value is refused.',
  operand: ['DEVICE', 'as device list shows it'],
  example: 'device pin web-1',
  method: 'POST',
  path: (id) => `/v1/devices/${id}/pin`,
  state: 'pinned',
});
