// SPDX-License-Identifier: Apache-2.0
import { actVerb } from '../service/act-verb.ts';

export const remove = actVerb({
  description:
    'Trusts a certificate no longer. Machines that have joined by it stay; remove or quarantine those by themselves.',
  operand: ['SHA256', 'of the certificate, as trust list shows it'],
  example: 'trust remove SHA256',
  method: 'DELETE',
  path: (sha256) => `/v1/trust/${sha256}`,
  state: 'removed',
});
