// SPDX-License-Identifier: Apache-2.0
import { revokedCertificates } from '@vouchsafe/protocol';
import { addServiceOptions, type ServiceOptions, withService } from '../service/with-service.ts';
import type { Verb } from '../verb.ts';

export const revoke: Verb = {
  define(command, session) {
    command
      .description(
        'Revokes the certificates of a machine. One that is trusted gets new ones when it attests: to keep it out, quarantine it.',
      )
      .argument('<DEVICE>', 'as device list shows it');
    addServiceOptions(command, 'device revoke web-1').action(async (id: string, options: ServiceOptions) => {
      const path = `/v1/devices/${encodeURIComponent(id)}/certificates/revoke`;
      const { revoked } = await withService(options, (client) => client.send(revokedCertificates, 'POST', path, {}));
      session.answer(`${id}: ${revoked === 1 ? '1 certificate' : `${revoked} certificates`} revoked`, {
        device: id,
        revoked,
      });
    });
  },
};
