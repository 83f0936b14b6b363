// SPDX-License-Identifier: Apache-2.0
import { actVerb } from '../service/act-verb.ts';

export const revoke = actVerb({
  description: 'Takes machines that boot this image for bad, at once and for ever.',
  operand: ['SHA256', 'of the manifest, as reference list shows it'],
  example: 'reference revoke SHA256',
  method: 'POST',
  path: (sha256) => `/v1/references/${sha256}/revoke`,
  state: 'revoked',
});
