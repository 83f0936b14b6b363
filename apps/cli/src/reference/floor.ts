// SPDX-License-Identifier: Apache-2.0
import { type VersionFloors, versionFloors } from '@vouchsafe/protocol';
import { tableText } from '../service/table-text.ts';
import { addServiceOptions, type ServiceOptions, withService } from '../service/with-service.ts';
import { UsageError } from '../usage-error.ts';
import type { Verb } from '../verb.ts';

export const floor: Verb = {
  define(command, session) {
    command
      .description(
        'Says which version of an image is the oldest that is good, whatever is signed; shows all without arguments.',
      )
      .argument('[IMAGE]', 'its name')
      .argument('[VERSION]', 'the oldest that is good');
    addServiceOptions(command, 'reference floor edge 0.1.0').action(
      async (image: string | undefined, version: string | undefined, options: ServiceOptions) => {
        if (image !== undefined && version === undefined) throw new UsageError('give the version, too');
        const floors = await withService(options, async (client) => {
          if (image !== undefined)
            await client.act('PUT', `/v1/version-floors/${encodeURIComponent(image)}`, { version });
          return client.list<VersionFloors['items'][number]>(versionFloors, '/v1/version-floors');
        });
        const rows = floors.map((one) => [one.image, one.version]);
        session.answer(tableText(['IMAGE', 'OLDEST'], rows, 'no version is too old'), floors);
      },
    );
  },
};
