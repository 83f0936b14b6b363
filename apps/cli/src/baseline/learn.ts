// SPDX-License-Identifier: Apache-2.0
import { firmwareBaseline } from '@vouchsafe/protocol';
import { addServiceOptions, type ServiceOptions, withService } from '../service/with-service.ts';
import type { Verb } from '../verb.ts';

interface Options extends ServiceOptions {
  readonly name?: string;
  readonly vendor?: string;
  readonly model?: string;
}

export const learn: Verb = {
  define(command, session) {
    command
      .description(
        'Takes what the firmware of a machine measured in its last boot as a baseline. It counts when it is approved.',
      )
      .argument('<DEVICE>', 'a machine of the model that you know to be good')
      .option('--name <text>', 'how the baseline is called')
      .option('--vendor <text>', 'of the machine')
      .option('--model <text>', 'of the machine');
    addServiceOptions(command, 'baseline learn web-1').action(async (deviceId: string, options: Options) => {
      const { name, vendor, model } = options;
      const body = {
        deviceId,
        ...(name === undefined ? {} : { name }),
        ...(vendor === undefined ? {} : { vendor }),
        ...(model === undefined ? {} : { model }),
      };
      const made = await withService(options, (client) => client.send(firmwareBaseline, 'POST', '/v1/baselines', body));
      session.note('it counts when it is approved: vouchsafe baseline approve SHA256');
      session.answer(`${made.name}: ${made.events} events, ${made.life}, ${made.sha256}`, made);
    });
  },
};
