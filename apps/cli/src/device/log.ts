// SPDX-License-Identifier: Apache-2.0

import { OutputFile } from '@vouchsafe/bytes/node';
import { bootLog, parseBase64url } from '@vouchsafe/protocol';
import { addServiceOptions, type ServiceOptions, withService } from '../service/with-service.ts';
import type { Verb } from '../verb.ts';

interface Options extends ServiceOptions {
  readonly output: string;
  readonly force?: boolean;
}

export const log: Verb = {
  define(command, session) {
    command
      .description('Writes the boot log of a machine to a file, for log show and log explain.')
      .argument('<DEVICE>', 'as device list shows it')
      .requiredOption('-o, --output <file>', 'where it goes')
      .option('--force', 'replace an existing file');
    addServiceOptions(command, 'device log web-1 -o boot.log').action(async (id: string, options: Options) => {
      using file = OutputFile.create(options.output, { force: options.force ?? false });
      const { sha256, bytes } = await withService(options, (client) =>
        client.get(bootLog, `/v1/devices/${encodeURIComponent(id)}/boot-log`),
      );
      const octets = parseBase64url(bytes);
      file.write(0, octets);
      file.commit();
      session.answer(`${options.output}: ${octets.length} octets, SHA-256 ${sha256}`, {
        path: options.output,
        sizeBytes: octets.length,
        sha256,
      });
    });
  },
};
