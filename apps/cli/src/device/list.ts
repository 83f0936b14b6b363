// SPDX-License-Identifier: Apache-2.0
import { type AwaitingEnrolments, awaitingEnrolments, type DeviceSummary, deviceList } from '@vouchsafe/protocol';
import { tableText, timeText } from '../service/table-text.ts';
import { addServiceOptions, type ServiceOptions, withService } from '../service/with-service.ts';
import type { Verb } from '../verb.ts';

interface Options extends ServiceOptions {
  readonly waiting?: boolean;
}

export const list: Verb = {
  define(command, session) {
    command
      .description('Lists the machines: how each stands, and what it has booted.')
      .option('--waiting', 'those that have proved who they are and wait to be let in');
    addServiceOptions(command, 'device list').action(async (options: Options) => {
      if (options.waiting === true) {
        const items = await withService(options, (client) =>
          client.list<AwaitingEnrolments['items'][number]>(awaitingEnrolments, '/v1/enrolments'),
        );
        const rows = items.map(({ deviceId, tpm, ekSha256, expiresAtMs }) => [
          deviceId,
          [tpm.manufacturer, tpm.model].filter((text) => text !== undefined).join(' '),
          ekSha256,
          timeText(expiresAtMs),
        ]);
        session.answer(tableText(['DEVICE', 'TPM', 'EK SHA-256', 'UNTIL'], rows, 'no machine waits'), items);
        return;
      }
      const items = await withService(options, (client) =>
        client.list<DeviceSummary>(deviceList, '/v1/devices?limit=1000'),
      );
      const rows = items.map(({ id, state, image, attestedAtMs, trustedUntilMs }) => [
        id,
        state,
        image === undefined ? '' : `${image.name} ${image.version}`,
        timeText(attestedAtMs),
        timeText(trustedUntilMs),
      ]);
      session.answer(
        tableText(['DEVICE', 'STATE', 'IMAGE', 'ATTESTED', 'TRUSTED UNTIL'], rows, 'no machines yet; see token create'),
        items,
      );
    });
  },
};
