// SPDX-License-Identifier: Apache-2.0
import { type SecretDetail, secretDetail } from '@vouchsafe/protocol';
import { printable } from '../printable.ts';
import { tableText, timeText } from '../service/table-text.ts';
import { addServiceOptions, type ServiceOptions, withService } from '../service/with-service.ts';
import type { Verb } from '../verb.ts';

export const show: Verb = {
  define(command, session) {
    command
      .description('Shows a secret without what it holds: who gave it which version, and which machines may have it.')
      .argument('<NAME>', 'as secret list shows it');
    addServiceOptions(command, 'secret show disk-key').action(async (name: string, options: ServiceOptions) => {
      const secret = await withService(options, (client) =>
        client.get(secretDetail, `/v1/secrets/${encodeURIComponent(name)}`),
      );
      session.answer(secretText(secret), secret);
    });
  },
};

function secretText({ versions, policy }: SecretDetail): string {
  const rows = versions.map(({ version, createdAtMs, createdBy }) => [
    String(version),
    timeText(createdAtMs),
    createdBy,
  ]);
  return `${tableText(['VERSION', 'SINCE', 'BY'], rows, 'no versions')}\n\n${printable(policy.trimEnd())}`;
}
