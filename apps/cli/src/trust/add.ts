// SPDX-License-Identifier: Apache-2.0
import { type Certificate, decodeCertificates, VENDOR_DER } from '@vouchsafe/pki';
import type { TrustRole } from '@vouchsafe/protocol';
import { readSmallFile } from '../parse.ts';
import { addServiceOptions, type ServiceOptions, withService } from '../service/with-service.ts';
import type { Verb } from '../verb.ts';
import { roleOption } from './roles.ts';
import { sendTrust, trustText } from './send-trust.ts';

interface Options extends ServiceOptions {
  readonly for: TrustRole;
}

export const add: Verb = {
  define(command, session) {
    command
      .description('Trusts certificates: of those who make TPMs or platforms, or of those who sign manifests.')
      .argument('<FILE...>', 'certificates: PEM, any number in a file, or DER')
      .addOption(roleOption());
    addServiceOptions(command, 'trust add --for manifest-signer keys/manifest.crt').action(
      async (files: readonly string[], options: Options) => {
        const certificates = files.flatMap((file): Certificate[] =>
          decodeCertificates(readSmallFile(file), VENDOR_DER),
        );
        const added = await withService(options, (client) => sendTrust(client, options.for, certificates));
        session.answer(trustText(added), added);
      },
    );
  },
};
