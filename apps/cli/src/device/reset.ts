// SPDX-License-Identifier: Apache-2.0
import { actVerb } from '../service/act-verb.ts';

export const reset = actVerb({
  description: 'Lets the same TPM enrol anew, with another attestation key: after it was cleared.',
  operand: ['DEVICE', 'as device list shows it'],
  example: 'device reset web-1',
  method: 'POST',
  path: (id) => `/v1/devices/${id}/reset`,
  state: 'reset',
});
