// SPDX-License-Identifier: Apache-2.0
import { actVerb } from '../service/act-verb.ts';

export const quarantine = actVerb({
  description: 'Shuts a machine out, whatever it proves, until it is cleared.',
  operand: ['DEVICE', 'as device list shows it'],
  example: 'device quarantine web-1',
  method: 'POST',
  path: (id) => `/v1/devices/${id}/quarantine`,
  state: 'quarantined',
});
