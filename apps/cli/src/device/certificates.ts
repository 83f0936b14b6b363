// SPDX-License-Identifier: Apache-2.0
import { type CertificateRecord, certificateRecords } from '@vouchsafe/protocol';
import { tableText, timeText } from '../service/table-text.ts';
import { addServiceOptions, type ServiceOptions, withService } from '../service/with-service.ts';
import type { Verb } from '../verb.ts';

export const certificates: Verb = {
  define(command, session) {
    command
      .description('Lists the certificates that a machine was given.')
      .argument('<DEVICE>', 'as device list shows it');
    addServiceOptions(command, 'device certificates web-1').action(async (id: string, options: ServiceOptions) => {
      const path = `/v1/devices/${encodeURIComponent(id)}/certificates`;
      const items = await withService(options, (client) => client.list<CertificateRecord>(certificateRecords, path));
      const rows = items.map(({ serialNumber, authority, issuedAtMs, notAfterMs, revokedAtMs }) => [
        serialNumber,
        authority,
        timeText(issuedAtMs),
        timeText(notAfterMs),
        timeText(revokedAtMs),
      ]);
      session.answer(tableText(['SERIAL NUMBER', 'BY', 'ISSUED', 'UNTIL', 'REVOKED'], rows, 'no certificates'), items);
    });
  },
};
