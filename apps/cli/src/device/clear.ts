// SPDX-License-Identifier: Apache-2.0
import { actVerb } from '../service/act-verb.ts';

export const clear = actVerb({
  description: 'Forgets a failure: the machine is as good as what it proves next. A quarantine ends by device approve.',
  operand: ['DEVICE', 'as device list shows it'],
  example: 'device clear web-1',
  method: 'POST',
  path: (id) => `/v1/devices/${id}/clear`,
  state: 'cleared',
});
