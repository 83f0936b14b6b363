// SPDX-License-Identifier: Apache-2.0
import { encodeBase64url, secretRecord } from '@vouchsafe/protocol';
import { readSmallFile } from '../parse.ts';
import { ServiceClientError } from '../service/error.ts';
import { textToSend } from '../service/text-to-send.ts';
import { addServiceOptions, type ServiceOptions, withService } from '../service/with-service.ts';
import { UsageError } from '../usage-error.ts';
import type { Verb } from '../verb.ts';

interface Options extends ServiceOptions {
  readonly policy?: string;
}

export const put: Verb = {
  define(command, session) {
    command
      .description(
        'Gives the service a secret, or a new version of one. Machines that its policy permits can open it, each with its TPM; nobody is ever shown it.',
      )
      .argument('<NAME>', 'how machines ask for it')
      .argument('<FILE>', 'what it holds, octet by octet, or - for standard input')
      .option('--policy <file>', 'in Cedar, which machines may have it; the one of before unless given');
    addServiceOptions(command, 'secret put disk-key disk.key --policy disk-key.cedar').action(
      async (name: string, file: string, options: Options) => {
        if (file === '-' && options.policy === '-') throw new UsageError('only one of FILE and --policy can be -');
        const policy = options.policy === undefined ? {} : { policy: textToSend(options.policy) };
        const plain = readSmallFile(file, 1024 * 1024);
        if (plain.length === 0)
          throw new ServiceClientError('nothing_to_send', `${file}: expected a secret, found nothing`);
        const body = { value: encodeBase64url(plain), ...policy };
        plain.fill(0);
        const made = await withService(options, (client) =>
          client.send(secretRecord, 'PUT', `/v1/secrets/${encodeURIComponent(name)}`, body),
        );
        session.answer(`${name}: version ${made.version}`, made);
      },
    );
  },
};
