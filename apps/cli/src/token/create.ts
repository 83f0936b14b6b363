// SPDX-License-Identifier: Apache-2.0
import { createdToken } from '@vouchsafe/protocol';
import { lifeMs } from '../service/life-time.ts';
import { timeText } from '../service/table-text.ts';
import { addServiceOptions, type ServiceOptions, withService } from '../service/with-service.ts';
import type { Verb } from '../verb.ts';

interface Options extends ServiceOptions {
  readonly device?: string;
  readonly label?: string;
  readonly life?: number;
}

export const create: Verb = {
  define(command, session) {
    command
      .description('Makes a token with which one machine may join, once. It is shown now and never again.')
      .option('--device <id>', 'how the machine is to be called, whatever it proposes')
      .option('--label <text>', 'a note for other operators')
      .option('--life <span>', 'how long it may be used, as 12h; a day unless given', lifeMs);
    addServiceOptions(command, 'token create --device web-1').action(async (options: Options) => {
      const { device, label, life } = options;
      const body = {
        ...(device === undefined ? {} : { deviceId: device }),
        ...(label === undefined ? {} : { label }),
        ...(life === undefined ? {} : { lifeMs: life }),
      };
      const made = await withService(options, (client) => client.send(createdToken, 'POST', '/v1/tokens', body));
      session.note(`good once, until ${timeText(made.expiresAtMs)}; on the machine: vouchsafe agent enroll TOKEN`);
      session.answer(made.text, made);
    });
  },
};
