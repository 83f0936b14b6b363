// SPDX-License-Identifier: Apache-2.0
import { actVerb } from '../service/act-verb.ts';

export const deleteVerb = actVerb({
  description: 'Deletes a secret with all its versions. Machines that have it keep what they have.',
  operand: ['NAME', 'as secret list shows it'],
  example: 'secret delete disk-key',
  method: 'DELETE',
  path: (name) => `/v1/secrets/${name}`,
  state: 'deleted',
});
