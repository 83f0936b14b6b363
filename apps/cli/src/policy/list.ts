// SPDX-License-Identifier: Apache-2.0
import { type PolicyVersion, policyVersions } from '@vouchsafe/protocol';
import { listVerb } from '../service/list-verb.ts';
import { timeText } from '../service/table-text.ts';

export const list = listVerb<PolicyVersion>({
  description: 'Lists the policies with their versions. The active one named trust decides over boots.',
  example: 'policy list',
  schema: policyVersions,
  path: '/v1/policies',
  heading: ['POLICY', 'VERSION', '', 'SINCE', 'SHA-256'],
  row: ({ name, version, isActive, addedAtMs, sha256 }) => [
    name,
    String(version),
    isActive ? 'active' : '',
    version === 0 ? 'built in' : timeText(addedAtMs),
    sha256,
  ],
  none: 'no policies',
});
