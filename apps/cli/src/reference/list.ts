// SPDX-License-Identifier: Apache-2.0
import { type ImageReferenceRecord, imageReferences } from '@vouchsafe/protocol';
import { listVerb } from '../service/list-verb.ts';
import { timeText } from '../service/table-text.ts';

export const list = listVerb<ImageReferenceRecord>({
  description: 'Lists the images that machines may have booted, and which of them are good.',
  example: 'reference list',
  schema: imageReferences,
  path: '/v1/references',
  heading: ['IMAGE', 'VERSION', 'LIFE', 'UNTIL', 'LISTS', 'SHA-256'],
  row: ({ name, version, life, retiresAtMs, parts, sha256 }) => [
    name,
    version,
    life,
    timeText(retiresAtMs),
    `${parts.filter(({ isPresent }) => isPresent).length} of ${parts.length}`,
    sha256,
  ],
  none: 'no images yet; see reference add',
});
