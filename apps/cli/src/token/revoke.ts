// SPDX-License-Identifier: Apache-2.0
import { actVerb } from '../service/act-verb.ts';

export const revoke = actVerb({
  description: 'Takes a token back. Machines that have joined with it stay.',
  operand: ['ID', 'of the token, as token list shows it'],
  example: 'token revoke ID',
  method: 'DELETE',
  path: (id) => `/v1/tokens/${id}`,
  state: 'revoked',
});
