// SPDX-License-Identifier: Apache-2.0
import { parseUtf8, TextError } from '@vouchsafe/base';
import { policyVersion } from '@vouchsafe/protocol';
import { readSmallFile } from '../parse.ts';
import { ServiceClientError } from '../service/error.ts';
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
        const body = { text: textOf(file), isActive: options.draft !== true };
        const made = await withService(options, (client) =>
          client.send(policyVersion, 'PUT', `/v1/policies/${encodeURIComponent(name)}`, body),
        );
        session.answer(`${name}: version ${made.version}${made.isActive ? ', which decides now' : ''}`, made);
      },
    );
  },
};

function textOf(file: string): string {
  try {
    return parseUtf8(readSmallFile(file, 1024 * 1024));
  } catch (cause) {
    if (!(cause instanceof TextError)) throw cause;
    throw new ServiceClientError('nothing_to_send', `${file}: expected text, found other octets`, { cause });
  }
}
