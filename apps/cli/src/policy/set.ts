// SPDX-License-Identifier: Apache-2.0
import { policyVersion } from '@vouchsafe/protocol';
import { textToSend } from '../service/text-to-send.ts';
import { addServiceOptions, type ServiceOptions, withService } from '../service/with-service.ts';
import type { Verb } from '../verb.ts';

interface Options extends ServiceOptions {
  readonly draft?: boolean;
}

export const set: Verb = {
  define(command, session) {
    command
      .description('Gives a policy a new version, which decides from now on. Try it before: policy test.')
      .argument('<NAME>', 'of the policy; the one named trust decides over boots')
      .argument('<FILE>', 'the policy, in Cedar')
      .option('--draft', 'keep it without letting it decide');
    addServiceOptions(command, 'policy set trust trust.cedar').action(
      async (name: string, file: string, options: Options) => {
        const body = { text: textToSend(file), isActive: options.draft !== true };
        const made = await withService(options, (client) =>
          client.send(policyVersion, 'PUT', `/v1/policies/${encodeURIComponent(name)}`, body),
        );
        session.answer(`${name}: version ${made.version}${made.isActive ? ', which decides now' : ''}`, made);
      },
    );
  },
};
