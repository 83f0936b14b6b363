// SPDX-License-Identifier: Apache-2.0
import { actVerb } from '../service/act-verb.ts';

export const activate = actVerb({
  description: 'Takes machines that boot this image for good from now on.',
  operand: ['SHA256', 'of the manifest, as reference list shows it'],
  example: 'reference activate SHA256',
  method: 'POST',
  path: (sha256) => `/v1/references/${sha256}/activate`,
  state: 'active',
});
