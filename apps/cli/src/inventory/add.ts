// SPDX-License-Identifier: Apache-2.0
import { toHex } from '@vouchsafe/base';
import { digest } from '@vouchsafe/crypto';
import { inventoryEntry } from '@vouchsafe/protocol';
import { Option } from '../arguments/option.ts';
import { readSmallFile } from '../parse.ts';
import { addServiceOptions, type ServiceOptions, withService } from '../service/with-service.ts';
import type { Verb } from '../verb.ts';

const KINDS = ['ek-certificate', 'platform-certificate', 'ek-key'] as const;

interface Options extends ServiceOptions {
  readonly by: (typeof KINDS)[number];
}

export const add: Verb = {
  define(command, session) {
    command
      .description('Registers a machine, so that it may join without a token: by what its maker gave along.')
      .argument('<DEVICE>', 'how the machine is to be called')
      .argument(
        '<FILE>',
        'the certificate of its endorsement key or platform, or the key itself (SubjectPublicKeyInfo), DER',
      )
      .addOption(new Option('--by <kind>', `what the file is: ${KINDS.join(', ')}`).choices(KINDS).default(KINDS[0]));
    addServiceOptions(command, 'inventory add web-2 ek.der').action(
      async (deviceId: string, file: string, options: Options) => {
        const sha256 = toHex(digest('sha256', readSmallFile(file)));
        const body = { deviceId, kind: options.by, sha256 };
        const made = await withService(options, (client) => client.send(inventoryEntry, 'POST', '/v1/inventory', body));
        session.answer(`${deviceId}: registered by ${options.by} ${sha256}`, made);
      },
    );
  },
};
