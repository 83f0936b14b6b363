// SPDX-License-Identifier: Apache-2.0
import { createdWebhook } from '@vouchsafe/protocol';
import { collectList } from '../parse.ts';
import { addServiceOptions, type ServiceOptions, withService } from '../service/with-service.ts';
import type { Verb } from '../verb.ts';

interface Options extends ServiceOptions {
  readonly kinds?: readonly string[];
}

export const add: Verb = {
  define(command, session) {
    command
      .description(
        'Has the service tell a URL of what happens, as Standard Webhooks say. Prints the key that messages are signed with, now and never again.',
      )
      .argument('<URL>', 'https://…, at an address that serve --webhook-allow lets through')
      .option('--kinds <kinds>', 'of events, as verdict.change or device.*; all unless given', collectList);
    addServiceOptions(command, 'webhook add https://hooks.example/vouchsafe --kinds verdict.change').action(
      async (url: string, options: Options) => {
        const { kinds } = options;
        const body = { url, ...(kinds === undefined ? {} : { kinds: [...kinds] }) };
        const made = await withService(options, (client) => client.send(createdWebhook, 'POST', '/v1/webhooks', body));
        session.note(`webhook ${made.id}; the key that its messages are signed with is shown now and never again`);
        session.answer(made.secret, made);
      },
    );
  },
};
